import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Name of the primary group; its number when it has none. */
  readonly group: string;
  /** Names of the other groups that the account is a member of. */
  readonly groups: readonly string[];
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
  /** From the shadow file; undefined when that may not be read. */
  readonly shadow?: {
    readonly password: string;
    readonly minimumDays?: number | undefined;
    readonly maximumDays?: number | undefined;
    readonly warningDays?: number | undefined;
    readonly inactiveDays?: number | undefined;
    readonly expireDay?: number | undefined;
  };
}

/** A user of the target by name or number, or undefined. */
export const account: FactKind<string, Account | undefined> = {
  name: 'user',
  scope: 'host',
  id: (name) => name,
  script: (names) =>
    subshell([
      'read_user() {',
      `e=$(getent passwd -- "$1" 2>/dev/null) || { printf '\\0'; return; }`,
      // A name of digits alone is looked up as a number; that is what chown does too.
      `printf '%s\\0' "$e"; n=\${e%%:*}`,
      // Names of groups may hold blanks, so each ends with NUL, and all with another.
      `id -g -n -- "$n" 2>/dev/null; printf '\\0'; id -G -n -z -- "$n" 2>/dev/null; printf '\\0'`,
      `getent shadow -- "$n" 2>/dev/null; printf '\\0'`,
      '}',
      ...names.map((name) => `read_user ${quote(name)}`),
    ]),
  parse(stdout, names) {
    const reader = new FieldReader('user', stdout);
    return names.map(() => {
      const entry = reader.next();
      if (entry === '') return undefined;
      const group = reader.next().replace(/\n$/, '');
      const all: string[] = [];
      for (let name = reader.next(); name !== ''; name = reader.next()) all.push(name);
      return parseAccount(entry, group, all, reader.next().trim());
    });
  },
};

function parseAccount(entry: string, group: string, all: readonly string[], shadow: string): Account {
  const [name = '', , uid, gid, comment = '', home = '', shell = ''] = entry.split('\n')[0]?.split(':') ?? [];
  const days = (text: string | undefined): number | undefined => (text ? Number(text) : undefined);
  const [, password, , minimum, maximum, warning, inactive, expire] = shadow.split(':');
  return {
    name,
    uid: Number(uid),
    gid: Number(gid),
    group: group || String(gid),
    groups: all.filter((other) => other !== group),
    comment,
    home,
    shell,
    ...(password === undefined
      ? {}
      : {
          shadow: {
            password,
            minimumDays: days(minimum),
            maximumDays: days(maximum),
            warningDays: days(warning),
            inactiveDays: days(inactive),
            expireDay: days(expire),
          },
        }),
  };
}
