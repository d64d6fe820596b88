import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

export interface GetentKey {
  readonly database: string;
  /** Without a key, all entries. */
  readonly key?: string | undefined;
  readonly service?: string | undefined;
}

export interface GetentFact {
  /** getent's status: 0 found, 1 no such database, 2 no such key, 3 no enumeration. */
  readonly status: number;
  readonly lines: readonly string[];
}

/** Entries of the name service: passwd, group, shadow, hosts and so on. */
export const getent: FactKind<GetentKey, GetentFact> = {
  name: 'getent',
  scope: 'host',
  id: (key) => [key.database, key.key ?? '(all)', ...(key.service ? [`from ${key.service}`] : [])].join(' '),
  script: (keys) =>
    subshell(
      keys.map((key) => {
        const words = [
          'getent',
          ...(key.service ? ['-s', key.service] : []),
          '--',
          key.database,
          ...(key.key === undefined ? [] : [key.key]),
        ];
        return `${words.map(quote).join(' ')} 2>/dev/null; printf '\\0%s\\0' "$?"`;
      }),
    ),
  parse(stdout, keys) {
    const reader = new FieldReader('getent', stdout);
    return keys.map((): GetentFact => {
      const lines = reader.lines();
      return { status: Number(reader.next()), lines };
    });
  },
};
