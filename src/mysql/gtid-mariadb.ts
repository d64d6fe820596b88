import { UserError } from '../lib/errors.ts';

/** Transactions of one server in one domain: those after the first number, up to the second. */
interface Span {
  readonly after: number;
  readonly upTo: number;
}

const GTID = /^(\d+)-(\d+)-(\d+)(?:\.\.(\d+))?$/;

/**
 * MariaDB's GTIDs `domain-server-number`, as `gtid_binlog_state` joined with `gtid_slave_pos` gives them: for each
 * domain and server the last number. Numbers of a domain grow whatever server writes (gtid_strict_mode), so `0-1-50`
 * stands for all of server 1 in domain 0 up to 50. A difference of two such sets is a span, written `0-1-48..50`.
 *
 * A copied instance does not know every server that ever wrote: its state begins with the position of the copy. So of a
 * server that it has never heard of it has all that is not beyond its own position in the domain.
 */
export class MariadbGtids {
  readonly flavour = 'mariadb';
  /** Domain, then server. */
  readonly #domains: ReadonlyMap<number, ReadonlyMap<number, Span>>;
  #text: string | undefined;

  constructor(domains: ReadonlyMap<number, ReadonlyMap<number, Span>>) {
    this.#domains = domains;
  }

  union(other: MariadbGtids): MariadbGtids {
    const domains = new Map([...this.#domains].map(([domain, servers]) => [domain, new Map(servers)]));
    for (const [domain, servers] of other.#domains) {
      const own = domains.get(domain) ?? new Map<number, Span>();
      domains.set(domain, own);
      for (const [server, span] of servers) {
        const before = own.get(server);
        own.set(
          server,
          before === undefined
            ? span
            : { after: Math.min(before.after, span.after), upTo: Math.max(before.upTo, span.upTo) },
        );
      }
    }
    return new MariadbGtids(domains);
  }

  subtract(other: MariadbGtids): MariadbGtids {
    const domains = new Map<number, Map<number, Span>>();
    for (const [domain, servers] of this.#domains) {
      const theirs = other.#domains.get(domain);
      for (const [server, span] of servers) {
        const left = theirs === undefined ? span : rest(span, theirs.get(server), theirs);
        if (left === undefined) continue;
        const own = domains.get(domain) ?? new Map<number, Span>();
        domains.set(domain, own.set(server, left));
      }
    }
    return new MariadbGtids(domains);
  }

  /** Servers of one domain share its numbers, so of several the whole stretch counts once. */
  count(): number {
    let total = 0;
    for (const servers of this.#domains.values()) {
      const spans = [...servers.values()].sort((one, other) => one.after - other.after);
      let counted = 0;
      for (const { after, upTo } of spans) {
        total += Math.max(0, upTo - Math.max(after, counted));
        counted = Math.max(counted, upTo);
      }
    }
    return total;
  }

  toString(): string {
    this.#text ??= [...this.#domains]
      .flatMap(([domain, servers]) => [...servers].map(([server, span]) => ({ domain, server, span })))
      .sort((one, other) => one.domain - other.domain || one.server - other.server)
      .map(({ domain, server, span: { after, upTo } }) =>
        after === 0 ? `${domain}-${server}-${upTo}` : `${domain}-${server}-${after + 1}..${upTo}`,
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
        const last = [...servers].sort(([, one], [, other]) => other.upTo - one.upTo)[0];
        return last === undefined ? [] : [`${domain}-${last[0]}-${last[1].upTo}`];
      })
      .join(',');
  }

  /** Each single transaction of a difference, in order. */
  each(): readonly { readonly domain: number; readonly server: number; readonly number: number }[] {
    return [...this.#domains].flatMap(([domain, servers]) =>
      [...servers]
        .flatMap(([server, { after, upTo }]) =>
          Array.from({ length: upTo - after }, (_, index) => ({ domain, server, number: after + 1 + index })),
        )
        .sort((one, other) => one.number - other.number),
    );
  }
}

/** What is left of a span without what the other has of that server, or of its domain when it never heard of it. */
function rest(span: Span, same: Span | undefined, theirs: ReadonlyMap<number, Span>): Span | undefined {
  const have = same ?? whole(theirs);
  if (have === undefined || have.after > span.after) return span;
  const after = Math.max(span.after, have.upTo);
  return after < span.upTo ? { after, upTo: span.upTo } : undefined;
}

/** How far a domain is known as a whole; undefined for a difference, which says nothing of other servers. */
function whole(servers: ReadonlyMap<number, Span>): Span | undefined {
  let upTo = 0;
  for (const span of servers.values()) if (span.after === 0) upTo = Math.max(upTo, span.upTo);
  return upTo === 0 ? undefined : { after: 0, upTo };
}

export function parseMariadbGtids(text: string): MariadbGtids {
  const domains = new Map<number, Map<number, Span>>();
  for (const word of text.replaceAll(/\s/g, '').split(',')) {
    if (word === '') continue;
    const match = GTID.exec(word);
    if (!match) throw wrong(text, `"${word}" is none`);
    const [domain, server, first] = match.slice(1, 4).map(Number) as [number, number, number];
    const last = match[4] === undefined ? first : Number(match[4]);
    if (!Number.isSafeInteger(last)) throw wrong(text, `"${word}" is out of range`);
    if (match[4] !== undefined && last < first) throw wrong(text, `"${word}" ends before it begins`);
    // 0-1-0 is nothing.
    if (last === 0) continue;
    const after = match[4] === undefined ? 0 : first - 1;
    const servers = domains.get(domain) ?? new Map<number, Span>();
    domains.set(domain, servers);
    const before = servers.get(server);
    servers.set(server, {
      after: before === undefined ? after : Math.min(before.after, after),
      upTo: Math.max(before?.upTo ?? 0, last),
    });
  }
  return new MariadbGtids(domains);
}

function wrong(text: string, why: string): UserError {
  return new UserError({
    message: `"${text}" is no list of MariaDB's GTIDs: ${why}`,
    hint: 'expected DOMAIN-SERVER-NUMBER, such as 0-1-100, with commas between several',
  });
}
