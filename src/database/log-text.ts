import { type Gtids, noGtids, parseGtids, subtract, union } from './gtid.ts';
import { oneGtid, withoutSecrets } from './logged-transactions.ts';
import type { LoggedTransaction } from './server.ts';
import type { Flavour } from './version.ts';

/** What `understudy-node logs` says of one of the newest binary logs of a dead server. */
export interface LogHead {
  readonly name: string;
  /** All that was logged before this one begins. */
  readonly before: Gtids;
}

/** What `understudy-node log-events` says. */
export interface LoggedTail {
  /** The last log ends within an event. */
  readonly isCut: boolean;
  /** What the last log holds. */
  readonly there: Gtids;
  /** The whole transactions that were asked for, the oldest first. */
  readonly transactions: readonly LoggedTransaction[];
}

const KINDS = { Write: 'insert', Update: 'update', Delete: 'delete' } as const;

/** Reads the heads of logs, the newest first. A log that does not say what stands before it is left out. */
export function parseLogHeads(flavour: Flavour, text: string): readonly LogHead[] {
  const [, ...heads] = text.split(/^#log /m);
  return heads.flatMap((one) => {
    const [name = '', ...lines] = one.split('\n');
    const before = gtidsBefore(flavour, lines.join('\n'));
    return before === undefined ? [] : [{ name, before }];
  });
}

function gtidsBefore(flavour: Flavour, text: string): Gtids | undefined {
  const match =
    flavour === 'mysql'
      ? /Previous-GTIDs\n((?:# (?!at ).*\n?)*)/.exec(text)
      : /Gtid list \[([^\]]*)\]/.exec(text);
  if (match === null) return undefined;
  const listed = (match[1] ?? '').replaceAll(/[#\s]|\[empty\]/g, '');
  return listed === '' && flavour === 'mariadb' ? beforeFirst(text) : parseGtids(flavour, listed);
}

/**
 * The first logs of a MariaDB server that began as a copy do not say so: then it is the number before the first one that
 * each domain has logged.
 */
function beforeFirst(text: string): Gtids | undefined {
  const first = [...text.matchAll(/\sGTID (\d+)-(\d+)-(\d+)/g)];
  if (first.length === 0) return undefined;
  const before = first.flatMap(([, domain, server, number]) =>
    number === '1' ? [] : [`${domain}-${server}-${BigInt(number ?? 1) - 1n}`],
  );
  return parseGtids('mariadb', before.join(','));
}

/**
 * Reads what mysqlbinlog says of a log. A server that was killed may have written half of its last transaction: that one
 * was not committed, and its own recovery would drop it.
 */
export function parseLoggedTail(flavour: Flavour, log: string, text: string): LoggedTail {
  const reader = new TextReader(log);
  const lines = text.split('\n');
  // Behind this line stands what clients wrote.
  const begin = lines.indexOf('#events');
  const known = lines.slice(0, Math.max(begin, 0));
  const there = known.reduce((all, line) => {
    const has = /^#has (\S+) (\d+) (\d+)$/.exec(line);
    return has ? union(all, parseGtids(flavour, rangeOf(flavour, has))) : all;
  }, noGtids(flavour));
  for (const line of lines.slice(begin + 1)) reader.read(line);
  const { whole, half } = reader.end();
  return {
    isCut: known.includes('#cut'),
    there: half === undefined ? there : subtract(there, oneGtid(flavour, half)),
    transactions: whole,
  };
}

function rangeOf(flavour: Flavour, [, prefix, first, last]: readonly string[]): string {
  return flavour === 'mysql' ? `${prefix}:${first}-${last}` : `${prefix}-${first}..${last}`;
}

interface Draft {
  readonly gtid: string;
  readonly log: string;
  readonly position: number;
  readonly changes: Map<string, LoggedTransaction['changes'][number]>;
  readonly statements: string[];
  state: 'empty' | 'open' | 'whole';
}

/** The words of both flavours' programs for one event, which stand behind its position and its length. */
const EVENT = /^#\d{6} /;
const GTID = /^#\d{6} .*\sGTID (\d+-\d+-\d+)/;
const GTID_NEXT = /^SET @@SESSION\.GTID_NEXT= '([^']+:\d+)'/;

class TextReader {
  #log: string;
  #position = 0;
  #table = '';
  #draft: Draft | undefined;
  /** The lines of a statement that has not ended yet. */
  #statement: string[] | undefined;
  readonly #whole: LoggedTransaction[] = [];

  constructor(log: string) {
    this.#log = log;
  }

  read(line: string): void {
    // Whatever the lines of a statement look like, only the delimiter alone on its line ends them.
    if (this.#statement !== undefined) {
      this.#text(line);
      return;
    }
    const at = /^# at (\d+)$/.exec(line);
    if (at) this.#position = Number(at[1]);
    const gtid = GTID.exec(line)?.[1] ?? GTID_NEXT.exec(line)?.[1];
    if (gtid !== undefined) this.#begin(gtid);
    else if (EVENT.test(line)) this.#event(line);
    else if (line.startsWith('COMMIT/*') && this.#draft) this.#draft.state = 'whole';
  }

  end(): { readonly whole: readonly LoggedTransaction[]; readonly half: string | undefined } {
    const last = this.#draft;
    this.#finish();
    return { whole: this.#whole, half: last === undefined || last.state === 'whole' ? undefined : last.gtid };
  }

  #begin(gtid: string): void {
    this.#finish();
    this.#draft = {
      gtid,
      log: this.#log,
      position: this.#position,
      changes: new Map(),
      statements: [],
      state: 'empty',
    };
  }

  #event(line: string): void {
    const rotated = /\sRotate to (\S+)/.exec(line)?.[1];
    if (rotated !== undefined) this.#log = rotated;
    const draft = this.#draft;
    if (draft === undefined) return;
    const table = /\sTable_map: (\S+) mapped to number/.exec(line)?.[1];
    if (table !== undefined) this.#table = table.replaceAll('`', '');
    const rows = /\s(Write|Update|Delete)_(?:compressed_)?rows/.exec(line)?.[1];
    if (rows !== undefined) this.#change(draft, KINDS[rows as keyof typeof KINDS]);
    if (/\sXid = \d+$/.test(line)) draft.state = 'whole';
    if (/\s(?:Query|Query_compressed|Execute_load_query)\s/.test(line)) this.#statement = [];
  }

  #change(draft: Draft, kind: 'insert' | 'update' | 'delete'): void {
    const key = `${this.#table} ${kind}`;
    const events = (draft.changes.get(key)?.events ?? 0) + 1;
    draft.changes.set(key, { table: this.#table, kind, events });
  }

  #text(line: string): void {
    if (!line.startsWith('/*!*/')) {
      if (!/^(SET|use) .*\/\*!\*\/;$/.test(line)) this.#statement?.push(line);
      return;
    }
    const statement = (this.#statement ?? []).join(' ');
    this.#statement = undefined;
    const draft = this.#draft;
    if (draft === undefined) return;
    if (/^(BEGIN|START TRANSACTION)$/.test(statement)) draft.state = 'open';
    else if (/^(COMMIT|ROLLBACK)$/.test(statement)) draft.state = 'whole';
    else {
      draft.statements.push(withoutSecrets(statement));
      // A statement of its own is a transaction; one between BEGIN and COMMIT ends none.
      if (draft.state === 'empty') draft.state = 'whole';
    }
  }

  #finish(): void {
    const draft = this.#draft;
    this.#draft = undefined;
    this.#statement = undefined;
    if (draft?.state !== 'whole') return;
    const { gtid, log, position, changes, statements } = draft;
    this.#whole.push({ gtid, log, position, changes: [...changes.values()], statements });
  }
}
