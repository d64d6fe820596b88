import { listed } from '../lib/listed.ts';
import { compareVersions, isOlder, type Version } from './version.ts';

// Invariant: a primary of a newer release than one of its replicas never comes about. In a rolling upgrade the primary's role
// moves to an instance that is upgraded while the old primary is not, so the two must be of one release.

/** What is to become of an instance. */
export interface VersionChange {
  readonly name: string;
  readonly from: Version;
  readonly to: Version;
}

/** Another instance of the same cluster, as it is now. */
export interface Neighbour {
  readonly name: string;
  readonly version: Version;
}

/**
 * MySQL's releases with long-term support. Data are upgraded from one to the next, or to an innovation release between
 * them, and replicated so: "Upgrade Paths" and "Replication Compatibility Between MySQL Versions" in its manual. MariaDB
 * reads the data of every older release.
 */
const MYSQL_LTS = [
  { major: 5, minor: 7 },
  { major: 8, minor: 0 },
  { major: 8, minor: 4 },
  { major: 9, minor: 7 },
] as const;

/** Why this instance must not be upgraded so while the others are what they are; undefined when it may be. */
export function upgradeRefusal(
  { name, from, to }: VersionChange,
  others: readonly Neighbour[],
): string | undefined {
  const change = `${name} would go from ${from.text} to ${to.text}`;
  if (from.flavour !== to.flavour) return `${change}, which is another product`;
  if (compareVersions(to, from) < 0) return `${change}: a server does not read the data of a newer one`;
  if (!isOlder(from, to)) return undefined;
  const skipped = to.flavour === 'mysql' ? MYSQL_LTS.find((lts) => isBetween(lts, from, to)) : undefined;
  if (skipped !== undefined) {
    return `${change} past ${skipped.major}.${skipped.minor}: MySQL goes from one release with long-term support to the next`;
  }
  if (others.length === 0) return `${change}, a new release, and no other instance has its data as they are`;
  const left = others.filter(({ version }) => isOlder(version, to));
  if (left.length === 0) return undefined;
  const names = left.map((other) => `${other.name} (${other.version.text})`);
  return `${change}, a newer release than that of ${listed(names)}, which could not follow it once it is the primary`;
}

function isBetween(
  lts: { readonly major: number; readonly minor: number },
  from: Version,
  to: Version,
): boolean {
  const version: Version = { ...from, ...lts };
  return isOlder(from, version) && isOlder(version, to);
}

/** Packages whose version is that of the server that they bring; of most there is one for each series, too. */
const SERVER_PACKAGE =
  /^(mysql|mariadb|percona)-(?:server-core|community-server-core|server-server)(?:-[\d.]+)?$/;

/** The version of the server in a Debian package; undefined for all other packages. */
export function serverVersion(packageName: string, version: string): Version | undefined {
  const product = SERVER_PACKAGE.exec(packageName)?.[1];
  const match = /^(?:\d+:)?((\d+)\.(\d+)\.(\d+))/.exec(version);
  if (product === undefined || match?.[1] === undefined) return undefined;
  return {
    flavour: product === 'mariadb' ? 'mariadb' : 'mysql',
    major: Number(match[2]),
    minor: Number(match[3]),
    patch: Number(match[4]),
    text: match[1],
  };
}
