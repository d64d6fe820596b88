import { type SourceLocation, UserError } from './errors.ts';
import { PYTHON_ESCAPES } from './python-escapes.ts';

/** Text, and where it stands. */
export interface Located {
  readonly text: string;
  readonly at?: SourceLocation | undefined;
}

/** What a word of a text is: `key=value`, or anything else. */
export type Word =
  | { readonly kind: 'assignment'; readonly key: string; readonly value: string }
  /** `\\=` is an equals sign that assigns nothing. */
  | { readonly kind: 'other'; readonly text: string };

/**
 * Reads a word of `splitAssignments` as Ansible reads free-form arguments and `--extra-vars`: escapes are decoded before
 * anything else, a pair of quotes around the value falls away.
 */
export function readAssignment(written: string, text: Located): Word {
  const word = decodeEscapes(written, text);
  const equals = unescapedEquals(word);
  if (equals === 'none') return { kind: 'other', text: written };
  if (equals === 'escaped') return { kind: 'other', text: word.replaceAll('\\=', '=') };
  return {
    kind: 'assignment',
    key: word.slice(0, equals).trim(),
    value: unquote(word.slice(equals + 1).trim()),
  };
}

const OPENING = ['{{', '{%', '{#'] as const;
const CLOSING = { '{{': '}}', '{%': '%}', '{#': '#}' } as const;

/**
 * Cuts text at single blanks and ends of lines that stand neither in quotes nor in braces of Jinja. Further blanks and
 * the ends of lines are kept at the end of the word before them, so that a command line keeps its shape. A tab does
 * not separate. A backslash alone at the end of a line joins it with the next one.
 */
export function splitAssignments(text: Located): readonly string[] {
  const words: string[] = [];
  const extend = (tail: string): void => {
    words.push(`${words.pop() ?? ''}${tail}`);
  };
  const depths = { '{{': 0, '{%': 0, '{#': 0 };
  const isInBraces = (): boolean => OPENING.some((brace) => depths[brace] > 0);
  let quote: string | undefined;
  const lines = text.text === '' ? [] : text.text.split('\n');
  for (const [lineIndex, line] of lines.entries()) {
    let continues = false;
    for (const [index, part] of line.split(' ').entries()) {
      if (part === '' && index > 0) {
        extend(' ');
        continue;
      }
      if (part === '\\' && quote === undefined) {
        continues = true;
        continue;
      }
      if (quote !== undefined || isInBraces()) extend(index > 0 ? ` ${part}` : part);
      else if (part !== '') words.push(part);
      quote = quoteAfter(part, quote);
      for (const brace of OPENING) {
        const change = occurrences(part, brace) - occurrences(part, CLOSING[brace]);
        depths[brace] = Math.max(0, depths[brace] + change);
      }
    }
    if (lineIndex < lines.length - 1 && !continues) extend('\n');
  }
  const open = OPENING.find((brace) => depths[brace] > 0);
  const missing = quote ?? (open === undefined ? undefined : CLOSING[open]);
  if (missing !== undefined) {
    throw new UserError({
      message: `${missing} is missing in ${JSON.stringify(text.text.trim())}`,
      location: text.at,
      hint: 'quotes and template markup must be closed; for a command with a lone quote write "cmd: …" below the module',
    });
  }
  return words;
}

/** The quote that is open after a part of a text; a backslash before it keeps a quote from counting. */
function quoteAfter(part: string, before: string | undefined): string | undefined {
  let open = before;
  for (let index = 0; index < part.length; index++) {
    const character = part[index];
    if ((character !== '"' && character !== "'") || part[index - 1] === '\\') continue;
    if (open === undefined) open = character;
    else if (open === character) open = undefined;
  }
  return open;
}

function occurrences(text: string, of: string): number {
  return text.split(of).length - 1;
}

/** Where the equals sign between key and value stands. One at the start is none, and a backslash escapes it. */
function unescapedEquals(word: string): number | 'none' | 'escaped' {
  if (!word.includes('=')) return 'none';
  for (let index = word.indexOf('=', 1); index > 0; index = word.indexOf('=', index + 1)) {
    if (word[index - 1] !== '\\') return index;
  }
  return 'escaped';
}

function unquote(value: string): string {
  const first = value[0];
  const isQuoted =
    value.length > 1 && (first === '"' || first === "'") && value.endsWith(first) && value.at(-2) !== '\\';
  return isQuoted ? value.slice(1, -1) : value;
}

function decodeEscapes(word: string, { at }: Located): string {
  return word.replaceAll(
    /\\(?:U([\da-fA-F]{8})|u([\da-fA-F]{4})|x([\da-fA-F]{2})|N(\{[^}]+\})|([\\'"abfnrtv]))/g,
    (whole, long?: string, short?: string, hex?: string, name?: string, letter = '') => {
      const code = long ?? short ?? hex;
      if (name === undefined && code === undefined) return PYTHON_ESCAPES[letter] ?? letter;
      const point = Number.parseInt(code ?? '', 16);
      if (point <= 0x10_ff_ff) return String.fromCodePoint(point);
      throw new UserError({
        message: `${whole} is not a character that can be named so`,
        location: at,
        hint: 'write the character itself, or its number as \\uXXXX',
      });
    },
  );
}
