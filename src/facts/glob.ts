import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

/** The paths on the target that a shell pattern matches, sorted; a path without wildcards matches when it exists. */
export const glob: FactKind<string, readonly string[]> = {
  name: 'glob',
  scope: 'host',
  id: (pattern) => pattern,
  script: (patterns) =>
    subshell(
      patterns.map(
        (pattern) =>
          `for p in ${globWord(pattern)}; do if [ -e "$p" ] || [ -L "$p" ]; then printf '%s\\0' "$p"; fi; done; printf '\\0'`,
      ),
    ),
  parse(stdout, patterns) {
    const reader = new FieldReader('glob', stdout);
    return patterns.map(() => {
      const paths: string[] = [];
      for (let path = reader.next(); path !== ''; path = reader.next()) paths.push(path);
      return paths;
    });
  },
};

/** A shell word in which only the wildcards are left to the shell. */
export function globWord(pattern: string): string {
  return pattern
    .split(/([*?]|\[[^\]/]+\])/)
    .map((part, index) => (part === '' ? '' : index % 2 === 1 ? bracket(part) : quote(part)))
    .join('');
}

function bracket(part: string): string {
  if (!part.startsWith('[')) return part;
  const inside = part.slice(1, -1);
  // Within brackets everything but the negation and the ranges is quoted.
  return `[${inside.replaceAll(/[^-!^A-Za-z0-9]/g, (character) => quote(character))}]`;
}
