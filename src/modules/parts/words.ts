/** Cuts a command line into words as Python's shlex does: quotes and backslashes, but no expansions. */
export function splitWords(line: string): string[] | { readonly problem: string } {
  const words: string[] = [];
  let word: string | undefined;
  let quoted: '"' | "'" | undefined;
  for (let index = 0; index < line.length; index++) {
    const character = line[index] ?? '';
    if (quoted === "'") {
      if (character === "'") quoted = undefined;
      else word = (word ?? '') + character;
    } else if (quoted === '"') {
      const next = line[index + 1];
      if (character === '"') quoted = undefined;
      else if (character === '\\' && (next === '"' || next === '\\')) {
        word = (word ?? '') + next;
        index++;
      } else word = (word ?? '') + character;
    } else if (character === '"' || character === "'") {
      quoted = character;
      word ??= '';
    } else if (character === '\\') {
      if (index + 1 >= line.length) return { problem: 'a backslash stands at the end' };
      word = (word ?? '') + (line[++index] ?? '');
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quoted !== undefined) return { problem: `a ${quoted} is not closed` };
  if (word !== undefined) words.push(word);
  return words;
}

/**
 * Takes options such as `chdir=/tmp` out of a free-form command line; the rest keeps its spelling.
 * Only words that stand outside of quotes as a whole count, as in Ansible.
 */
export function takeOptions(
  line: string,
  names: readonly string[],
): { readonly rest: string; readonly options: Readonly<Record<string, string>> } {
  const options: Record<string, string> = {};
  const pattern = new RegExp(
    `(^|\\s)(${names.join('|')})=("(?:[^"\\\\]|\\\\.)*"|'[^']*'|(?:\\{\\{.*?\\}\\}|[^\\s"'])*)(?=\\s|$)`,
    'g',
  );
  const quotes = quotedRanges(line);
  const rest = line.replace(pattern, (whole, space: string, name: string, value: string, at: number) => {
    const start = at + space.length;
    if (quotes.some(([from, to]) => from < start && start < to)) return whole;
    options[name] = /^["']/.test(value) ? value.slice(1, -1) : value;
    return space.includes('\n') ? '\n' : '';
  });
  return { rest: Object.keys(options).length > 0 ? rest.trim() : line, options };
}

function quotedRanges(line: string): [number, number][] {
  const ranges: [number, number][] = [];
  for (const match of line.matchAll(/"(?:[^"\\]|\\[^])*"|'[^']*'/g)) {
    ranges.push([match.index, match.index + match[0].length]);
  }
  return ranges;
}
