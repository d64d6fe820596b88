import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

/** The value of a kernel parameter, or undefined when there is none. */
export const sysctl: FactKind<string, string | undefined> = {
  name: 'sysctl',
  scope: 'host',
  id: (name) => name,
  script: (names) =>
    subshell(
      names.map((name) => {
        const path = quote(sysctlPath(name));
        return `if [ -e ${path} ]; then printf 'y'; cat ${path} 2>/dev/null; fi; printf '\\0'`;
      }),
    ),
  parse(stdout, names) {
    const reader = new FieldReader('sysctl', stdout);
    return names.map(() => {
      const text = reader.next();
      return text === '' ? undefined : text.slice(1).trim();
    });
  },
};

/** Dots separate parts, unless a slash comes first: then a dot is part of a name (`net/ipv4/conf/eth0.1/forwarding`). */
export function sysctlPath(name: string): string {
  const slash = name.indexOf('/');
  const dot = name.indexOf('.');
  const usesSlashes = slash >= 0 && (dot < 0 || slash < dot);
  const path = usesSlashes ? name : name.replaceAll(/[./]/g, (character) => (character === '.' ? '/' : '.'));
  return `/proc/sys/${path}`;
}
