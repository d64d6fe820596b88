import { UserError } from '../lib/errors.ts';
import type { Dict, Value } from '../lib/value.ts';
import type { Text } from './ast.ts';

/** Actions that take a command line: of its words only the options below are arguments of their own. */
const COMMANDS = [
  'command',
  'raw',
  'script',
  'shell',
  'win_command',
  'win_shell',
  'ansible.windows.win_command',
  'ansible.windows.win_shell',
];

/** `warn` is of old; Ansible still takes it out, and its modules then refuse it. */
const COMMAND_OPTIONS = [
  'chdir',
  'creates',
  'executable',
  'removes',
  'stdin',
  'stdin_add_newline',
  'strip_empty_ends',
  'warn',
];

/** Actions that have a use for words which are not `key=value`: a command line, a file, what `meta` is to do. */
const WITH_TEXT = [
  ...COMMANDS,
  'import_playbook',
  'import_tasks',
  'include',
  'include_tasks',
  'include_vars',
  'meta',
];

/** Free-form text taken apart. */
export interface FreeForm {
  /** Its `key=value` words. The values are text, and not rendered yet. */
  readonly options: Dict;
  /** The other words, spelt as they were; undefined when there are none. */
  readonly text: string | undefined;
}

/** Whether an action, named without a namespace, has a use for words that are not `key=value`. */
export function takesText(action: string): boolean {
  return WITH_TEXT.includes(action);
}

/**
 * Takes the text after an action's name apart, as Ansible does: before anything is rendered, with regard to quotes
 * and to the braces of Jinja. Of a command's words only the options that every command has are taken out.
 */
export function parseFreeForm(text: Text, action: string): FreeForm {
  const isCommand = COMMANDS.includes(action);
  const options = new Map<Value, Value>();
  const others: string[] = [];
  for (const written of splitWords(text)) {
    const word = decodeEscapes(written, text);
    const equals = unescapedEquals(word);
    if (equals === 'none') others.push(written);
    else if (equals === 'escaped') others.push(word.replaceAll('\\=', '='));
    else if (isCommand && !COMMAND_OPTIONS.includes(word.slice(0, equals))) others.push(written);
    else options.set(word.slice(0, equals).trim(), unquote(word.slice(equals + 1).trim()));
  }
  return { options, text: others.length === 0 ? undefined : joinWords(others) };
}

/** The name of a module and what follows it, as `action: copy src=a` has them in one text. */
export function splitActionName(text: Text): { readonly name: string; readonly rest: string } {
  const [name = '', ...words] = splitWords(text);
  return { name: name.trim(), rest: words.join(' ') };
}

/** Puts words together again; further blanks and the ends of lines are in the words. */
function joinWords(words: readonly string[]): string {
  return words.reduce(
    (joined, word) => joined + (joined === '' || joined.endsWith('\n') ? word : ` ${word}`),
    '',
  );
}

const OPENING = ['{{', '{%', '{#'] as const;
const CLOSING = { '{{': '}}', '{%': '%}', '{#': '#}' } as const;

/**
 * Cuts text at single blanks and ends of lines that stand neither in quotes nor in braces of Jinja. Further blanks and
 * the ends of lines are kept at the end of the word before them, so that a command line keeps its shape. A tab does
 * not separate. A backslash alone at the end of a line joins it with the next one.
 */
export function splitWords(text: Text): readonly string[] {
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

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

function decodeEscapes(word: string, { at }: Text): string {
  return word.replaceAll(
    /\\(?:U([\da-fA-F]{8})|u([\da-fA-F]{4})|x([\da-fA-F]{2})|N(\{[^}]+\})|([\\'"abfnrtv]))/g,
    (whole, long?: string, short?: string, hex?: string, name?: string, letter = '') => {
      const code = long ?? short ?? hex;
      if (name === undefined && code === undefined) return ESCAPES[letter] ?? letter;
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
