import { Float } from '../../lib/value.ts';
import { iterate, lengthOf } from '../python/access.ts';
import { numeric, truth } from '../python/compare.ts';
import { isMapping, isSequence, own, Tuple, typeFault, typeName, type Data } from '../python/objects.ts';
import { percentFormat } from '../python/percent-format.ts';
import { capitalize, justify, replace, split, splitLines, strip, text } from '../python/string-methods.ts';
import { str } from '../python/text.ts';
import { fixed } from '../python/number-format.ts';
import { filter, type Filters } from './define.ts';
import { parseFloatText } from './math.ts';

/** Filters that make texts of texts. */
export const textFilters: Filters = {
  upper: filter('', (value) => str(value).toUpperCase()),
  lower: filter('', (value) => str(value).toLowerCase()),
  capitalize: filter('', (value) => capitalize(str(value))),
  title: filter('', (value) => title(str(value))),
  string: filter('', (value) => str(value)),
  safe: filter('', (value) => str(value)),
  trim: filter('chars?', (value, [chars]) => strip(str(value), chars, true, true)),
  replace: filter('old new count?', (value, [old, by, count]) => {
    const most = count === undefined || count === null ? -1 : whole(count, 'count');
    return replace(str(value), str(old!), str(by!), most);
  }),
  center: filter('width?', (value, [width = 80]) => justify(str(value), width, undefined, 'center')),
  indent: filter('width? first? blank?', (value, [width = 4, first = false, blank = false]) =>
    indent(text(value), width, truth(first), truth(blank)),
  ),
  wordcount: filter('', (value) => (str(value).match(/[\p{L}\p{N}_]+/gu) ?? []).length),
  wordwrap: filter(
    'width? break_long_words? wrapstring? break_on_hyphens?',
    (value, [width = 79, breakLong = true, wrapString, onHyphens = true]) => {
      // Python's own default: None is the line break, too.
      const separator = text(wrapString ?? '\n');
      const lines = splitLines(text(value)).map((line) =>
        wrap(line, whole(width, 'width'), truth(breakLong), truth(onHyphens)).join(separator),
      );
      return lines.join(separator);
    },
  ),
  truncate: filter(
    'length? killwords? end? leeway?',
    (value, [length = 255, killWords = false, end = '...', leeway]) =>
      truncate(value, whole(length, 'length'), truth(killWords), text(end), whole(leeway ?? 5, 'leeway')),
  ),
  format: filter('*args **kwargs', (value, _values, _call, { rest, keywords }) => {
    if (rest.length > 0 && keywords.size > 0)
      throw typeFault("can't handle positional and keyword arguments at the same time");
    if (keywords.size > 0) return percentFormat(str(value), new Map<Data, Data>(keywords));
    return percentFormat(str(value), Tuple.containing(rest));
  }),
  escape: filter('', (value) => escapeHtml(str(value))),
  e: filter('', (value) => escapeHtml(str(value))),
  forceescape: filter('', (value) => escapeHtml(str(value))),
  urlencode: filter('', (value) => urlencode(value)),
  split: filter('sep? maxsplit?', (value, [separator, most]) => own(split(text(value), separator, most))),
  splitlines: filter('', (value) => own(splitLines(text(value)))),
  quote: filter('', (value) => shellQuote(value === null ? '' : str(value))),
  comment: filter('style? **kwargs', (value, [style = 'plain'], _call, { keywords }) =>
    comment(text(value), text(style), keywords),
  ),
  filesizeformat: filter('binary?', (value, [binary = false]) => fileSize(value, truth(binary))),
};

function whole(value: Data, name: string): number {
  const number = value instanceof Float ? undefined : numeric(value);
  if (number === undefined) throw typeFault(`${name} must be an integer, not ${typeName(value)}`);
  return Number(number);
}

/** Jinja's `title`: a word starts after white space, a hyphen or a bracket. */
function title(value: string): string {
  return value
    .split(/([-\s({[<]+)/)
    .filter((part) => part !== '')
    .map((part) => {
      const [first = '', ...rest] = part;
      return first.toUpperCase() + rest.join('').toLowerCase();
    })
    .join('');
}

function indent(value: string, width: Data, first: boolean, blank: boolean): string {
  const indention = typeof width === 'string' ? width : ' '.repeat(whole(width, 'width'));
  const lines = splitLines(`${value}\n`);
  let result: string;
  if (blank) result = lines.join(`\n${indention}`);
  else {
    const [head = '', ...rest] = lines;
    result = head;
    if (rest.length > 0)
      result += `\n${rest.map((line) => (line === '' ? line : indention + line)).join('\n')}`;
  }
  return first ? indention + result : result;
}

/** Python's `textwrap.wrap` as Jinja calls it: white space at breaks is dropped. */
function wrap(line: string, width: number, breakLong: boolean, onHyphens: boolean): string[] {
  const pattern = onHyphens
    ? /(\s+|[^\s\w]*\w+[^0-9\W]-(?=\w+[^0-9\W])|(?<=[\w!"'&.,?])-{2,}(?=\w))/
    : /(\s+)/;
  const chunks = line.split(pattern).filter((chunk) => chunk !== undefined && chunk !== '');
  const lines: string[] = [];
  while (chunks.length > 0) {
    const current: string[] = [];
    let length = 0;
    if (lines.length > 0 && chunks[0]!.trim() === '') chunks.shift();
    while (chunks.length > 0 && length + chunks[0]!.length <= width) {
      length += chunks[0]!.length;
      current.push(chunks.shift()!);
    }
    if (chunks.length > 0 && chunks[0]!.length > width) {
      if (breakLong) {
        const space = Math.max(1, width - length);
        current.push(chunks[0]!.slice(0, space));
        chunks[0] = chunks[0]!.slice(space);
      } else if (current.length === 0) current.push(chunks.shift()!);
    }
    if (current.length > 0 && current.at(-1)!.trim() === '') current.pop();
    if (current.length > 0) lines.push(current.join(''));
  }
  return lines;
}

function truncate(value: Data, length: number, killWords: boolean, end: string, leeway: number): Data {
  if (length < end.length) throw typeFault(`expected length >= ${end.length}, got ${length}`);
  if (leeway < 0) throw typeFault(`expected leeway >= 0, got ${leeway}`);
  if (lengthOf(value) <= length + leeway) return value;
  const characters = [...text(value)];
  const kept = characters.slice(0, length - lengthOf(end)).join('');
  if (killWords) return kept + end;
  const space = kept.lastIndexOf(' ');
  return (space < 0 ? kept : kept.slice(0, space)) + end;
}

export function escapeHtml(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('>', '&gt;')
    .replaceAll('<', '&lt;')
    .replaceAll("'", '&#39;')
    .replaceAll('"', '&#34;');
}

function urlencode(value: Data): string {
  if (typeof value === 'string' || (!isMapping(value) && !isSequence(value)))
    return urlQuote(str(value), false);
  const pairs = isMapping(value) ? [...value] : iterate(value).map(pairOf);
  return pairs.map(([key, item]) => `${urlQuote(str(key), true)}=${urlQuote(str(item), true)}`).join('&');
}

function pairOf(value: Data): readonly [Data, Data] {
  const items = iterate(value);
  if (items.length !== 2) throw typeFault('urlencode needs pairs of a name and a value');
  return [items[0]!, items[1]!];
}

/** Python's `urllib.parse.quote`. */
export function urlQuote(value: string, forQuery: boolean): string {
  const quoted = encodeURIComponent(value).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return forQuery ? quoted.replaceAll('%20', '+') : quoted.replaceAll('%2F', '/');
}

/** Python's `shlex.quote`. */
export function shellQuote(value: string): string {
  if (value === '') return "''";
  if (!/[^\w@%+=:,./-]/.test(value)) return value;
  return `'${value.replaceAll("'", `'"'"'`)}'`;
}

const COMMENT_STYLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: { decoration: '# ' },
  erlang: { decoration: '% ' },
  c: { decoration: '// ' },
  cblock: { beginning: '/*', decoration: ' * ', end: ' */' },
  xml: { beginning: '<!--', decoration: ' - ', end: '-->' },
};
const COMMENT_KEYS = [
  'newline',
  'beginning',
  'prefix',
  'prefix_count',
  'decoration',
  'postfix',
  'postfix_count',
  'end',
];

function comment(value: string, style: string, keywords: ReadonlyMap<string, Data>): string {
  const preset = Object.hasOwn(COMMENT_STYLES, style) ? COMMENT_STYLES[style]! : undefined;
  if (!preset)
    throw typeFault(`comment: there is no style "${style}", only ${Object.keys(COMMENT_STYLES).join(', ')}`);
  for (const key of keywords.keys())
    if (!COMMENT_KEYS.includes(key)) throw typeFault(`comment has no argument "${key}"`);
  const get = (key: string, fallback: string): string => {
    const given = keywords.get(key);
    if (given === undefined) return preset[key] ?? fallback;
    return given === null && key !== 'decoration' ? '' : str(given);
  };
  const count = (key: string): number => whole(keywords.has(key) ? keywords.get(key)! : 1, key);
  const decoration = get('decoration', '');
  const trimmed = strip(decoration, undefined, false, true);
  const newline = get('newline', '\n');
  const beginning = get('beginning', '');
  const prefix = get('prefix', trimmed);
  const postfix = get('postfix', trimmed);
  const end = get('end', '');
  const head = beginning === '' ? '' : beginning + newline;
  const above =
    prefix === ''
      ? ''
      : (prefix === newline ? newline : prefix + newline).repeat(Math.max(0, count('prefix_count')));
  const body = (decoration + value.replaceAll(newline, () => newline + decoration)).replaceAll(
    decoration + newline,
    () => trimmed + newline,
  );
  const below = ['', ...Array.from({ length: Math.max(0, count('postfix_count')) }, () => postfix)].join(
    newline,
  );
  return head + above + body + below + (end === '' ? '' : newline + end);
}

const DECIMAL_UNITS = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const BINARY_UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'];

function fileSize(value: Data, binary: boolean): string {
  const bytes = Number(
    (typeof value === 'string' ? parseFloatText(value)?.value : numeric(value)) ?? Number.NaN,
  );
  if (Number.isNaN(bytes)) throw typeFault('filesizeformat needs a number');
  const base = binary ? 1024 : 1000;
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const units = binary ? BINARY_UNITS : DECIMAL_UNITS;
  for (const [index, unit] of units.entries()) {
    const limit = base ** (index + 2);
    if (bytes < limit || index === units.length - 1) return `${fixed((base * bytes) / limit, 1)} ${unit}`;
  }
  throw new Error('no unit');
}
