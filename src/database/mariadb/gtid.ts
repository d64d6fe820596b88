import { UserError } from '../../lib/errors.ts';
import { type Intervals, merge, sizeOf, without } from '../intervals.ts';

/** By server; `ANYBODY` stands for whoever wrote. */
type Servers = ReadonlyMap<number, Intervals>;

const ANYBODY = -1;
const GTID = /^(\d+)-(\d+|\*)-(\d+)(?:\.\.(\d+))?$/;

/**
 * MariaDB's GTIDs `domain-server-number`, as `gtid_binlog_state` joined with `gtid_slave_pos` gives them: for each
 * domain and server the last number. Numbers of a domain grow whatever server writes (gtid_strict_mode), so `0-1-50`
 * stands for all of server 1 in domain 0 up to 50. Differences are written `0-1-48..50`, and `0-*-50` is everything
 * up to a position, whoever wrote it.
 *
 * A copied instance does not know every server that ever wrote: its state begins with the position of the copy. So what
 * two instances both have of any third one is history that they share, with all that stands before it in the domain.
 * What lies beyond, of a server that one has never heard of, it does not have: that is how the errant transaction of a
 * replica looks from a primary that has gone on.
 */
export class MariadbGtids {
  readonly flavour = 'mariadb';
  readonly #domains: ReadonlyMap<number, Servers>;
  #text: string | undefined;

  constructor(domains: ReadonlyMap<number, Servers>) {
    this.#domains = domains;
  }

  union(other: MariadbGtids): MariadbGtids {
    const domains = new Map([...this.#domains].map(([domain, servers]) => [domain, new Map(servers)]));
    for (const [domain, servers] of other.#domains) {
      const own = domains.get(domain) ?? new Map<number, Intervals>();
      domains.set(domain, own);
      for (const [server, intervals] of servers)
        own.set(server, merge([...(own.get(server) ?? []), ...intervals]));
    }
    return new MariadbGtids(domains);
  }

  subtract(other: MariadbGtids): MariadbGtids {
    const domains = new Map<number, Servers>();
    for (const [domain, servers] of this.#domains) {
      const theirs = other.#domains.get(domain) ?? new Map<number, Intervals>();
      const left = new Map<number, Intervals>();
      for (const server of servers.keys()) {
        const rest = restOf(server, servers, theirs);
        if (rest.length > 0) left.set(server, rest);
      }
      if (left.size > 0) domains.set(domain, left);
    }
    return new MariadbGtids(domains);
  }

  /** The servers that wrote any of it, by server_id; `*` where only the position is known. */
  origins(): readonly string[] {
    return [...new Set([...this.#domains.values()].flatMap((servers) => [...servers.keys()].map(nameOf)))];
  }

  /** Only what some servers wrote. */
  from(isWanted: (origin: string) => boolean): MariadbGtids {
    const domains = new Map<number, Servers>();
    for (const [domain, servers] of this.#domains) {
      const kept = new Map([...servers].filter(([server]) => isWanted(nameOf(server))));
      if (kept.size > 0) domains.set(domain, kept);
    }
    return new MariadbGtids(domains);
  }

  get isEmpty(): boolean {
    return this.#domains.size === 0;
  }

  /** Servers of one domain share its numbers, so what several seem to have counts once. */
  count(): number {
    let total = 0;
    for (const servers of this.#domains.values()) total += sizeOf(merge([...servers.values()].flat()));
    return total;
  }

  toString(): string {
    this.#text ??= [...this.#domains]
      .flatMap(([domain, servers]) =>
        [...servers].map(([server, intervals]) => ({ domain, server, intervals })),
      )
      .sort((one, other) => one.domain - other.domain || one.server - other.server)
      .flatMap(({ domain, server, intervals }) =>
        intervals.map(([from, to]) => `${domain}-${nameOf(server)}-${from === 1 ? to : `${from}..${to}`}`),
      )
      .join(',');
    return this.#text;
  }

  toJSON(): string {
    return this.toString();
  }

  /** The last transaction of each domain, as `MASTER_GTID_WAIT` wants it. */
  position(): string {
    return [...this.#domains]
      .flatMap(([domain, servers]) => {
        const [last] = [...servers].sort(([, one], [, other]) => endOf(other) - endOf(one));
        return last === undefined ? [] : [`${domain}-${last[0]}-${endOf(last[1])}`];
      })
      .join(',');
  }

  /** All up to the last transaction of each domain, whoever wrote it: a position instead of a state. */
  whole(): MariadbGtids {
    return new MariadbGtids(
      new Map(
        [...this.#domains].map(([domain, servers]) => [
          domain,
          new Map([[ANYBODY, [[1, Math.max(...[...servers.values()].map(endOf))]] as const]]),
        ]),
      ),
    );
  }

  /** Of a position: what comes after another one, under the name of the server that wrote the last of it. */
  after(applied: MariadbGtids): MariadbGtids {
    const domains = new Map<number, Servers>();
    for (const [domain, servers] of this.#domains) {
      const done = Math.max(0, ...[...(applied.#domains.get(domain) ?? new Map()).values()].map(endOf));
      for (const [server, intervals] of servers) {
        const left = without(intervals, upTo(done));
        if (left.length > 0) domains.set(domain, new Map([...(domains.get(domain) ?? []), [server, left]]));
      }
    }
    return new MariadbGtids(domains);
  }
}

/** What one side has of a server's transactions and the other has not. */
function restOf(server: number, ours: Servers, theirs: Servers): Intervals {
  const own = ours.get(server) ?? [];
  const known = theirs.get(server) ?? [];
  if (server === ANYBODY)
    return without(without(own, known), upTo(Math.max(...[...theirs.values()].map(startOf))));
  const left = without(without(own, known), theirs.get(ANYBODY) ?? []);
  const beyond = without(left, upTo(sharedBy(server, ours, theirs)));
  // Of a server that both have heard of since its first number, what one lacks is lacking, wherever it stands.
  return beyond.length > 0 || startOf(known) === 0 ? beyond : left;
}

/** How far the histories of two go together: to the last transaction that both have of any third server. */
function sharedBy(server: number, ours: Servers, theirs: Servers): number {
  let shared = 0;
  for (const [third, intervals] of ours) {
    if (third !== server)
      shared = Math.max(shared, Math.min(startOf(intervals), startOf(theirs.get(third) ?? [])));
  }
  return shared;
}

function nameOf(server: number): string {
  return server === ANYBODY ? '*' : String(server);
}

function upTo(last: number): Intervals {
  return last > 0 ? [[1, last]] : [];
}

/** Up to where numbers are there from the first one on. */
function startOf(intervals: Intervals): number {
  const [first] = intervals;
  return first?.[0] === 1 ? first[1] : 0;
}

function endOf(intervals: Intervals): number {
  return intervals.at(-1)?.[1] ?? 0;
}

export function parseMariadbGtids(text: string): MariadbGtids {
  const domains = new Map<number, Map<number, Intervals>>();
  for (const word of text.replaceAll(/\s/g, '').split(',')) {
    if (word === '') continue;
    const match = GTID.exec(word);
    if (!match) throw wrong(text, `"${word}" is none`);
    const [domain, first] = [Number(match[1]), Number(match[3])];
    const server = match[2] === '*' ? ANYBODY : Number(match[2]);
    const last = match[4] === undefined ? first : Number(match[4]);
    if (!Number.isSafeInteger(last)) throw wrong(text, `"${word}" is out of range`);
    if (last < first) throw wrong(text, `"${word}" ends before it begins`);
    // 0-1-0 is nothing.
    if (last === 0) continue;
    const from = match[4] === undefined ? 1 : Math.max(1, first);
    const servers = domains.get(domain) ?? new Map<number, Intervals>();
    domains.set(domain, servers);
    servers.set(server, merge([...(servers.get(server) ?? []), [from, last]]));
  }
  return new MariadbGtids(domains);
}

function wrong(text: string, why: string): UserError {
  return new UserError({
    message: `"${text}" is no list of MariaDB's GTIDs: ${why}`,
    hint: 'expected DOMAIN-SERVER-NUMBER, such as 0-1-100, with commas between several',
  });
}
