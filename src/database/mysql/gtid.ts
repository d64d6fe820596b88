import { UserError } from '../../lib/errors.ts';
import { type Interval, type Intervals, merge, sizeOf, without } from '../intervals.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Since MySQL 8.3: https://dev.mysql.com/doc/refman/9.5/en/replication-gtids-concepts.html */
const TAG = /^[a-z_][a-z0-9_]{0,31}$/;
const INTERVAL = /^(\d+)(?:-(\d+))?$/;

/**
 * A set of MySQL's GTIDs: for each source (a server's UUID, and a tag where there is one) the numbers of its
 * transactions, as sorted intervals that neither overlap nor touch.
 */
export class MysqlGtids {
  readonly flavour = 'mysql';
  readonly #sources: ReadonlyMap<string, Intervals>;
  #text: string | undefined;

  /** Keys are `uuid` or `uuid:tag`; no list is empty. */
  constructor(sources: ReadonlyMap<string, Intervals>) {
    this.#sources = sources;
  }

  union(other: MysqlGtids): MysqlGtids {
    const sources = new Map(this.#sources);
    for (const [source, intervals] of other.#sources) {
      sources.set(source, merge([...(sources.get(source) ?? []), ...intervals]));
    }
    return new MysqlGtids(sources);
  }

  subtract(other: MysqlGtids): MysqlGtids {
    const sources = new Map<string, Intervals>();
    for (const [source, intervals] of this.#sources) {
      const left = without(intervals, other.#sources.get(source) ?? []);
      if (left.length > 0) sources.set(source, left);
    }
    return new MysqlGtids(sources);
  }

  /** The servers that wrote any of it, by UUID. */
  origins(): readonly string[] {
    return [...new Set([...this.#sources.keys()].map(uuidIn))];
  }

  /** Only what some servers wrote. */
  from(isWanted: (origin: string) => boolean): MysqlGtids {
    return new MysqlGtids(new Map([...this.#sources].filter(([source]) => isWanted(uuidIn(source)))));
  }

  get isEmpty(): boolean {
    return this.#sources.size === 0;
  }

  count(): number {
    let total = 0;
    for (const intervals of this.#sources.values()) total += sizeOf(intervals);
    return total;
  }

  /** As the server prints it, without its line breaks: `uuid:1-5:7,uuid2:1:tag:1-3`. */
  toString(): string {
    this.#text ??= this.#print();
    return this.#text;
  }

  toJSON(): string {
    return this.toString();
  }

  #print(): string {
    const parts: string[] = [];
    let last = '';
    for (const source of [...this.#sources.keys()].sort()) {
      const [uuid = '', tag] = source.split(':');
      const numbers = (this.#sources.get(source) ?? [])
        .map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`))
        .join(':');
      const text = tag === undefined ? numbers : `${tag}:${numbers}`;
      if (uuid === last) parts[parts.length - 1] += `:${text}`;
      else parts.push(`${uuid}:${text}`);
      last = uuid;
    }
    return parts.join(',');
  }
}

function uuidIn(source: string): string {
  return source.split(':', 1)[0] ?? '';
}

/** Reads what the server prints, and what people type: line breaks, blanks and capital letters do not matter. */
export function parseMysqlGtids(text: string): MysqlGtids {
  const sources = new Map<string, Intervals>();
  for (const part of text.toLowerCase().replaceAll(/\s/g, '').split(',')) {
    if (part === '') continue;
    const [uuid = '', ...rest] = part.split(':');
    if (!UUID.test(uuid)) throw wrong(text, `"${uuid}" is no server UUID`);
    if (rest.length === 0) throw wrong(text, `${uuid} has no numbers`);
    let source = uuid;
    const found = new Map<string, Interval[]>();
    for (const word of rest) {
      const numbers = INTERVAL.exec(word);
      if (numbers) {
        const from = Number(numbers[1]);
        const to = Number(numbers[2] ?? numbers[1]);
        if (from < 1 || !Number.isSafeInteger(to)) throw wrong(text, `"${word}" is out of range`);
        if (to < from) throw wrong(text, `"${word}" ends before it begins`);
        const known = found.get(source);
        // A copy for each interval would take the square of the time: a set may have tens of thousands.
        if (known) known.push([from, to]);
        else found.set(source, [[from, to]]);
      } else if (TAG.test(word)) source = `${uuid}:${word}`;
      else throw wrong(text, `"${word}" is neither a number, an interval nor a tag`);
    }
    for (const [name, intervals] of found) {
      sources.set(name, merge([...(sources.get(name) ?? []), ...intervals]));
    }
  }
  return new MysqlGtids(sources);
}

function wrong(text: string, why: string): UserError {
  return new UserError({
    message: `"${text}" is no set of MySQL's GTIDs: ${why}`,
    hint: 'expected UUID:NUMBERS, such as 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7, with commas between several',
  });
}
