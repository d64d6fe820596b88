import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

export interface DebFact {
  readonly name: string;
  readonly version: string;
  /** How it compares with what is installed: `newer`, `same`, `older`, or `absent`. */
  readonly state: 'newer' | 'same' | 'older' | 'absent';
}

/** What a package file on the target holds, or undefined when it cannot be read. */
export const debFile: FactKind<string, DebFact | undefined> = {
  name: 'deb',
  scope: 'host',
  id: (path) => path,
  script: (paths) =>
    subshell([
      'deb() {',
      `n=$(dpkg-deb -f "$1" Package 2>/dev/null) && v=$(dpkg-deb -f "$1" Version 2>/dev/null) || { printf '\\0\\0\\0'; return; }`,
      `i=$(dpkg-query -W -f='\${db:Status-Status} \${Version}' -- "$n" 2>/dev/null)`,
      'case $i in',
      '"installed $v") s=same ;;',
      '"installed "*) if dpkg --compare-versions "$v" gt "${i#* }"; then s=newer; else s=older; fi ;;',
      '*) s=absent ;;',
      'esac',
      `printf '%s\\0%s\\0%s\\0' "$n" "$v" "$s"`,
      '}',
      ...paths.map((path) => `deb ${quote(path)}`),
    ]),
  parse(stdout, paths) {
    const reader = new FieldReader('deb', stdout);
    return paths.map(() => {
      const [name, version, state] = [reader.next(), reader.next(), reader.next()];
      return name === '' ? undefined : { name, version, state: state as DebFact['state'] };
    });
  },
};
