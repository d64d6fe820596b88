/** Why a line is no list of words. */
export interface WordsProblem {
  readonly problem: string;
}

/**
 * Cuts a line into words as Python's shlex does: quotes and backslashes, but no expansions. With `comments`, a `#`
 * outside of quotes ends the line, wherever in a word it stands.
 */
export function splitShellWords(
  line: string,
  options: { readonly comments?: true } = {},
): readonly string[] | WordsProblem {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let index = 0; index < line.length; index++) {
    const character = line[index] ?? '';
    if (quote !== undefined) {
      const next = line[index + 1];
      if (character === quote) quote = undefined;
      else if (character === '\\' && quote === '"' && (next === '"' || next === '\\')) {
        word += next;
        index++;
      } else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (character === '\\') {
      if (index + 1 >= line.length) return { problem: 'a backslash stands at the end' };
      word = (word ?? '') + (line[++index] ?? '');
    } else if (BLANKS.includes(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '#' && options.comments) {
      break;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== undefined) return { problem: `a ${quote} is not closed` };
  if (word !== undefined) words.push(word);
  return words;
}

/** Other white space, such as a no-break space, is part of a word. */
const BLANKS = ' \t\r\n';
