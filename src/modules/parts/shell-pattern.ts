/** A shell pattern (`*`, `?`, `[a-z]`) as a regular expression for whole names, as Python's fnmatch makes it. */
export function shellPattern(pattern: string): RegExp {
  const source = pattern.replaceAll(
    /\[(!?)([^\]]+)\]|[*?]|[.+^${}()|[\]\\]/g,
    (part, not: string, inside: string) => {
      if (part === '*') return '[^]*';
      if (part === '?') return '[^]';
      if (inside !== undefined) return `[${not ? '^' : ''}${inside.replaceAll(/[\\\]^]/g, '\\$&')}]`;
      return `\\${part}`;
    },
  );
  return new RegExp(`^${source}$`);
}
