import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

/** Where a program is, also in the directories of root's programs; undefined when it is nowhere. */
export const which: FactKind<string, string | undefined> = {
  name: 'which',
  scope: 'host',
  id: (name) => name,
  script: (names) =>
    subshell([
      'PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin',
      ...names.map((name) => `command -v -- ${quote(name)} 2>/dev/null; printf '\\0'`),
    ]),
  parse(stdout, names) {
    const reader = new FieldReader('which', stdout);
    return names.map(() => reader.next().trim() || undefined);
  },
};
