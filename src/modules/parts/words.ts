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
