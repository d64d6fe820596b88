import { UserError } from '../lib/errors.ts';
import { MariadbGtids, parseMariadbGtids } from './mariadb/gtid.ts';
import { MysqlGtids, parseMysqlGtids } from './mysql/gtid.ts';
import type { Flavour } from './version.ts';

/** A set of transactions, in the notation of its flavour. Made by `parseGtids`; never changed. */
export interface Gtids {
  readonly flavour: Flavour;
  readonly isEmpty: boolean;
  /** The servers that wrote any of it: by server_uuid, and on MariaDB by server_id. */
  origins(): readonly string[];
  /** Only what some servers wrote. */
  from(isWanted: (origin: string) => boolean): Gtids;
  /** Canonical: two equal sets have the same text. */
  toString(): string;
}

/** How one set stands to another. */
export type GtidRelation = 'equal' | 'superset' | 'subset' | 'diverged';

/** Reads a set as its server writes it; the empty text is the empty set. Rejects other text with a `UserError`. */
export function parseGtids(flavour: Flavour, text: string): Gtids {
  return flavour === 'mysql' ? parseMysqlGtids(text) : parseMariadbGtids(text);
}

/** Returns the empty set. */
export function noGtids(flavour: Flavour): Gtids {
  return parseGtids(flavour, '');
}

/** Returns what is in either set. */
export function union(a: Gtids, b: Gtids): Gtids {
  return combine(
    a,
    b,
    (one, other) => one.union(other),
    (one, other) => one.union(other),
  );
}

/** Returns what is in the first set and not in the second, as MySQL's GTID_SUBTRACT does. */
export function subtract(a: Gtids, b: Gtids): Gtids {
  return combine(
    a,
    b,
    (one, other) => one.subtract(other),
    (one, other) => one.subtract(other),
  );
}

/** Returns what is in both sets. */
export function intersect(a: Gtids, b: Gtids): Gtids {
  return subtract(a, subtract(a, b));
}

export function isEmpty(gtids: Gtids): boolean {
  return gtids.isEmpty;
}

/** Tells whether the first set contains the second. */
export function contains(a: Gtids, b: Gtids): boolean {
  return isEmpty(subtract(b, a));
}

export function compare(a: Gtids, b: Gtids): GtidRelation {
  const [more, less] = [contains(a, b), contains(b, a)];
  return more && less ? 'equal' : more ? 'superset' : less ? 'subset' : 'diverged';
}

/** What a position stands for: all up to it. On MySQL a set says everything itself. */
export function upTo(position: Gtids): Gtids {
  return position instanceof MariadbGtids ? position.whole() : position;
}

/** What a position is ahead of another one. On MySQL their difference. */
export function ahead(position: Gtids, of: Gtids): Gtids {
  if (position instanceof MariadbGtids && of instanceof MariadbGtids) return position.after(of);
  return subtract(position, of);
}

/** From where on a reader of binary logs finds what is beyond a set: the set, and on MariaDB the last number of each domain. */
export function readingBeyond(gtids: Gtids): string {
  return gtids instanceof MariadbGtids ? gtids.position() : gtids.toString();
}

/** Counts the transactions of a set. */
export function count(gtids: Gtids): number {
  if (gtids instanceof MysqlGtids || gtids instanceof MariadbGtids) return gtids.count();
  throw new TypeError('a set of GTIDs is made by parseGtids');
}

function combine(
  a: Gtids,
  b: Gtids,
  mysql: (a: MysqlGtids, b: MysqlGtids) => MysqlGtids,
  mariadb: (a: MariadbGtids, b: MariadbGtids) => MariadbGtids,
): Gtids {
  if (a instanceof MysqlGtids && b instanceof MysqlGtids) return mysql(a, b);
  if (a instanceof MariadbGtids && b instanceof MariadbGtids) return mariadb(a, b);
  throw new UserError({
    message: `GTIDs of ${a.flavour} and of ${b.flavour} cannot be compared`,
    hint: 'all instances of a cluster are of one flavour',
  });
}
