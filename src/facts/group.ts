import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** A group of the target by name or number, or undefined. */
export const group: FactKind<string, Group | undefined> = {
  name: 'group',
  scope: 'host',
  id: (name) => name,
  script: (names) =>
    subshell(names.map((name) => `getent group -- ${quote(name)} 2>/dev/null; printf '\\0'`)),
  parse(stdout, names) {
    const reader = new FieldReader('group', stdout);
    return names.map(() => {
      const line = reader.lines()[0];
      if (!line) return undefined;
      const [name = '', , gid, members = ''] = line.split(':');
      return { name, gid: Number(gid), members: members.split(',').filter((member) => member !== '') };
    });
  },
};
