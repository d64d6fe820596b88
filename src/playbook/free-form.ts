import { UserError } from '../lib/errors.ts';
import type { Dict, Value } from '../lib/value.ts';
import type { Text } from './ast.ts';

const CLOSING: Readonly<Record<string, string>> = { '{{': '}}', '{%': '%}', '{#': '#}' };

/** The arguments of `copy: src=a dest="b c"`. Values are text; quotes and template markup keep spaces together. */
export function splitKeyValues(text: Text): Dict {
  const { values, rest } = separateKeyValues(text);
  const [first] = rest;
  if (first !== undefined) {
    throw new UserError({
      message: `expected key=value, found "${first}"`,
      location: text.at,
      hint: 'a value with spaces must be quoted: key="some text"; or write the arguments as a dictionary below the module',
    });
  }
  return values;
}

/** The key=value words of a text, and its other words. */
export function separateKeyValues(text: Text): { values: Dict; rest: readonly string[] } {
  const values = new Map<Value, Value>();
  const rest: string[] = [];
  for (const raw of splitWords(text)) {
    const word = decodeEscapes(raw);
    const equals = unescapedEquals(word);
    if (equals < 1) rest.push(raw.replaceAll('\\=', '='));
    else values.set(word.slice(0, equals).trim(), unquote(word.slice(equals + 1).trim()));
  }
  return { values, rest };
}

/** Words separated by spaces or newlines; those inside quotes and {{ }}, {% %}, {# #} do not separate. */
export function splitWords(text: Text): readonly string[] {
  const source = text.text;
  const words: string[] = [];
  let word = '';
  let quote: string | undefined;
  let closing: string | undefined;
  const end = (): void => {
    // A lone backslash continues the line.
    if (word !== '' && word !== '\\') words.push(word);
    word = '';
  };
  for (let index = 0; index < source.length; index++) {
    const char = source[index] as string;
    const pair = source.slice(index, index + 2);
    const isEscaped = source[index - 1] === '\\';
    if (closing !== undefined) {
      if (pair === closing) {
        word += pair;
        index += 1;
        closing = undefined;
        continue;
      }
    } else if (CLOSING[pair] !== undefined) {
      closing = CLOSING[pair];
      word += pair;
      index += 1;
      continue;
    } else if ((char === '"' || char === "'") && !isEscaped) {
      if (quote === undefined) quote = char;
      else if (quote === char) quote = undefined;
    } else if (quote === undefined && /\s/.test(char)) {
      end();
      continue;
    }
    word += char;
  }
  if (quote !== undefined || closing !== undefined) {
    throw new UserError({
      message: `${quote ?? closing} is missing in ${JSON.stringify(source.trim())}`,
      location: text.at,
      hint: 'quotes and template markup must be closed; quote the whole value if it is not meant as key=value',
    });
  }
  end();
  return words;
}

function unescapedEquals(word: string): number {
  for (let index = word.indexOf('=', 1); index > 0; index = word.indexOf('=', index + 1)) {
    if (word[index - 1] !== '\\') return index;
  }
  return -1;
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

function decodeEscapes(word: string): string {
  return word.replaceAll(
    /\\(?:U([\da-fA-F]{8})|u([\da-fA-F]{4})|x([\da-fA-F]{2})|([\\'"abfnrtv]))/g,
    (_, long?: string, short?: string, hex?: string, letter = '') => {
      const code = long ?? short ?? hex;
      return code === undefined
        ? (ESCAPES[letter] ?? letter)
        : String.fromCodePoint(Number.parseInt(code, 16));
    },
  );
}
