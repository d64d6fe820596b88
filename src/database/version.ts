import { UserError } from '../lib/errors.ts';

export type Flavour = 'mysql' | 'mariadb';

/** A server's version. Compared as numbers, never as text: 10 comes after 9, and releases named after years exist. */
export interface Version {
  readonly flavour: Flavour;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** As the server says it: `9.7.0`, `11.8.3-MariaDB-0+deb13u1-log`. */
  readonly text: string;
}

/** Reads `@@version`. MariaDB's may begin with `5.5.5-`, which it once said for the sake of old replicas. */
export function parseVersion(text: string): Version | undefined {
  const isMariadb = /mariadb/i.test(text);
  const match = /^(?:5\.5\.5-(?=\d))?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  if (!match) return undefined;
  return {
    flavour: isMariadb ? 'mariadb' : 'mysql',
    major: Number(match[1]),
    minor: Number(match[2]),
    patch: Number(match[3] ?? 0),
    text,
  };
}

/** As `parseVersion`, for what a server has just said of itself. */
export function versionOf(text: string): Version {
  const version = parseVersion(text);
  if (version === undefined)
    throw new UserError(`a server says that its version is "${text}", which is none`);
  return version;
}

/** Negative when the first is older. Versions of different flavours have no order. */
export function compareVersions(one: Version, other: Version): number {
  return one.major - other.major || one.minor - other.minor || one.patch - other.patch;
}

/** Whether it is of that release or a later one. */
export function isAtLeast(version: Version, major: number, minor: number, patch = 0): boolean {
  return compareVersions(version, { ...version, major, minor, patch }) >= 0;
}

/** Of an older release: transactions go from the older to the newer one. Patches of one release understand each other. */
export function isOlder(one: Version, than: Version): boolean {
  return one.major < than.major || (one.major === than.major && one.minor < than.minor);
}
