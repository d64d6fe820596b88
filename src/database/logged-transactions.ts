import { type Gtids, intersect, isEmpty, parseGtids, subtract } from './gtid.ts';
import { number, text } from './rows.ts';
import type { Limits, LoggedTransaction } from './server.ts';
import type { Row, Session } from './session.ts';
import type { Flavour } from './version.ts';

/** No older log is read when this many transactions were found: nobody reads more of them one by one. */
export const MOST_TRANSACTIONS = 1000;
const EVENTS_AT_ONCE = 5000;
/** A log begins with four magic bytes. */
const FIRST_EVENT = 4;

/** Row events of all versions and both flavours: `Write_rows`, `Update_rows_v1`, `Delete_rows_compressed_v1`… */
const ROW_EVENT = /^(Write|Update|Delete)_rows/i;
const KINDS = { write: 'insert', update: 'update', delete: 'delete' } as const;
const GTID = /GTID_NEXT= '([^']+)'|GTID (\d+-\d+-\d+)/i;

/**
 * Reads what transactions did, from the binary logs of the instance that has them. It begins with the newest log, because
 * errant transactions are usually recent.
 */
export async function loggedTransactions(
  session: Session,
  wanted: Gtids,
  limits: Limits,
): Promise<readonly LoggedTransaction[]> {
  const found: LoggedTransaction[] = [];
  const logs = await session.rows('listing the binary logs', 'SHOW BINARY LOGS', [], limits);
  for (const log of logs.map((row) => text(row, 'Log_name')).reverse()) {
    found.unshift(...(await inLog(session, log, wanted, limits)));
    if (found.length >= MOST_TRANSACTIONS || isComplete(found, wanted)) break;
  }
  return found;
}

async function inLog(
  session: Session,
  log: string,
  wanted: Gtids,
  limits: Limits,
): Promise<readonly LoggedTransaction[]> {
  const reader = new LogReader(log, wanted);
  for (let from = FIRST_EVENT; ;) {
    const sql = `SHOW BINLOG EVENTS IN ? FROM ${from} LIMIT ${EVENTS_AT_ONCE}`;
    const events = await session.rows(`reading the binary log ${log}`, sql, [log], limits);
    // Each portion begins with the last event of the one before: where that one ends MariaDB does not always say (it
    // gives 0 for the row events that it got by replication).
    for (const event of from === FIRST_EVENT ? events : events.slice(1)) reader.read(event);
    if (events.length < EVENTS_AT_ONCE) return reader.end();
    from = number(events.at(-1), 'Pos');
  }
}

class LogReader {
  readonly #log: string;
  readonly #wanted: Gtids;
  readonly #found: LoggedTransaction[] = [];
  #current: Draft | undefined;
  #table = '';

  constructor(log: string, wanted: Gtids) {
    this.#log = log;
    this.#wanted = wanted;
  }

  read(event: Row): void {
    const type = text(event, 'Event_type');
    const info = text(event, 'Info');
    if (/gtid/i.test(type) && !/list|previous/i.test(type)) {
      this.#finish();
      const match = GTID.exec(info);
      const gtid = match?.[1] ?? match?.[2] ?? '';
      if (gtid !== '' && this.#isWanted(gtid)) {
        this.#current = {
          gtid,
          log: this.#log,
          position: number(event, 'Pos'),
          changes: new Map(),
          statements: [],
        };
      }
      return;
    }
    if (!this.#current) return;
    const row = ROW_EVENT.exec(type);
    if (/^table_map$/i.test(type)) this.#table = /\(([^)]*)\)/.exec(info)?.[1] ?? '';
    else if (row) {
      const kind = KINDS[(row[1] ?? '').toLowerCase() as keyof typeof KINDS];
      const key = `${this.#table} ${kind}`;
      this.#current.changes.set(key, (this.#current.changes.get(key) ?? 0) + 1);
    } else if (/^query/i.test(type) && !/^(BEGIN|COMMIT)$/i.test(info.trim()))
      this.#current.statements.push(withoutSecrets(info));
  }

  end(): readonly LoggedTransaction[] {
    this.#finish();
    return this.#found;
  }

  #finish(): void {
    const draft = this.#current;
    this.#current = undefined;
    if (!draft) return;
    this.#found.push({
      ...draft,
      changes: [...draft.changes].map(([key, events]) => {
        const [table = '', kind = ''] = key.split(' ');
        return { table, kind: kind as 'insert' | 'update' | 'delete', events };
      }),
    });
  }

  #isWanted(gtid: string): boolean {
    return !isEmpty(intersect(oneGtid(this.#wanted.flavour, gtid), this.#wanted));
  }
}

interface Draft {
  readonly gtid: string;
  readonly log: string;
  readonly position: number;
  readonly changes: Map<string, number>;
  readonly statements: string[];
}

function isComplete(found: readonly LoggedTransaction[], wanted: Gtids): boolean {
  let left = wanted;
  for (const { gtid } of found) left = subtract(left, oneGtid(left.flavour, gtid));
  return isEmpty(left);
}

/** The set of one transaction, as it is named in a log. */
export function oneGtid(flavour: Flavour, gtid: string): Gtids {
  // MariaDB's notation needs the range: a number alone stands for all transactions up to it.
  return parseGtids(flavour, flavour === 'mysql' ? gtid : `${gtid}..${gtid.split('-')[2]}`);
}

/** Hides every literal of a statement about passwords except account names: the log holds password hashes. */
export function withoutSecrets(statement: string): string {
  if (!/IDENTIFIED|PASSWORD/i.test(statement)) return statement;
  return statement.replaceAll(/'(?:[^'\\]|\\.|'')*'/gs, (literal, at: number) =>
    statement[at - 1] === '@' || statement[at + literal.length] === '@' ? literal : "'[REDACTED]'",
  );
}
