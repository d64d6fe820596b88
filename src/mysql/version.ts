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
