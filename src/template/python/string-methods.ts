import { Float } from '../../lib/value.ts';
import { iterate, lengthOf, slice } from './access.ts';
import { signature, type BoundArguments, type Signature } from './bind.ts';
import { defined, isSequence, own, Tuple, typeFault, typeName, type Data } from './objects.ts';
import { formatMethod } from './format-method.ts';

/** A method of a Python type. */
export interface Method<Self> {
  readonly signature: Signature;
  run(self: Self, args: BoundArguments): Data;
}

function method(
  parameters: string,
  run: (self: string, args: readonly (Data | undefined)[], bound: BoundArguments) => Data,
): Method<string> {
  return { signature: signature(parameters), run: (self, bound) => run(self, bound.values, bound) };
}

/** What Python's `split()` and `strip()` take for white space. */
const SPACE = '[\\s\\x1c-\\x1f\\x85]';
const LEADING = new RegExp(`^${SPACE}+`);
const TRAILING = new RegExp(`${SPACE}+$`);
const WORDS = new RegExp(`${SPACE}+`, 'g');

/** Methods of strings. */
export const stringMethods: Readonly<Record<string, Method<string>>> = {
  upper: method('', (self) => self.toUpperCase()),
  lower: method('', (self) => self.toLowerCase()),
  casefold: method('', (self) => self.toLowerCase().replaceAll('ß', 'ss')),
  capitalize: method('', (self) => capitalize(self)),
  title: method('', (self) => title(self)),
  swapcase: method('', (self) =>
    [...self].map((one) => (one === one.toUpperCase() ? one.toLowerCase() : one.toUpperCase())).join(''),
  ),
  strip: method('chars?', (self, [chars]) => strip(self, chars, true, true)),
  lstrip: method('chars?', (self, [chars]) => strip(self, chars, true, false)),
  rstrip: method('chars?', (self, [chars]) => strip(self, chars, false, true)),
  split: method('sep? maxsplit?', (self, [sep, most]) => own(split(self, sep, most))),
  rsplit: method('sep? maxsplit?', (self, [sep, most]) => own(rsplit(self, sep, most))),
  splitlines: method('keepends?', (self, [keep]) => own(splitLines(self, keep === true))),
  partition: method('sep', (self, [sep]) => partition(self, text(sep), self.indexOf(text(sep)), false)),
  rpartition: method('sep', (self, [sep]) => partition(self, text(sep), self.lastIndexOf(text(sep)), true)),
  join: method('iterable', (self, [items]) => join(self, items!)),
  replace: method('old new count?', (self, [old, by, count]) =>
    replace(self, text(old), text(by), number(count)),
  ),
  startswith: method('prefix start? end?', (self, [prefix, start, end]) =>
    affix(self, prefix!, start, end, 'startsWith'),
  ),
  endswith: method('suffix start? end?', (self, [suffix, start, end]) =>
    affix(self, suffix!, start, end, 'endsWith'),
  ),
  removeprefix: method('prefix', (self, [prefix]) =>
    self.startsWith(text(prefix)) ? self.slice(text(prefix).length) : self,
  ),
  removesuffix: method('suffix', (self, [suffix]) =>
    self.endsWith(text(suffix)) && suffix !== '' ? self.slice(0, -text(suffix).length) : self,
  ),
  find: method('sub start? end?', (self, [sub, start, end]) => find(self, sub, start, end, false)),
  rfind: method('sub start? end?', (self, [sub, start, end]) => find(self, sub, start, end, true)),
  index: method('sub start? end?', (self, [sub, start, end]) => found(find(self, sub, start, end, false))),
  rindex: method('sub start? end?', (self, [sub, start, end]) => found(find(self, sub, start, end, true))),
  count: method('sub start? end?', (self, [sub, start, end]) => {
    const part = slice(self, start, end, undefined) as string;
    return text(sub) === '' ? lengthOf(part) + 1 : part.split(text(sub)).length - 1;
  }),
  center: method('width fillchar?', (self, [width, fill]) => justify(self, width, fill, 'center')),
  ljust: method('width fillchar?', (self, [width, fill]) => justify(self, width, fill, 'left')),
  rjust: method('width fillchar?', (self, [width, fill]) => justify(self, width, fill, 'right')),
  zfill: method('width', (self, [width]) => {
    const sign = /^[-+]/.exec(self)?.[0] ?? '';
    return sign + self.slice(sign.length).padStart(number(width) - sign.length, '0');
  }),
  expandtabs: method('tabsize?', (self, [size]) => expandTabs(self, size === undefined ? 8 : number(size))),
  isdigit: method('', (self) => /^[\p{Nd}\u00b2\u00b3\u00b9\u2070-\u2079\u2080-\u2089]+$/u.test(self)),
  isdecimal: method('', (self) => /^\p{Nd}+$/u.test(self)),
  isnumeric: method('', (self) => /^\p{N}+$/u.test(self)),
  isalpha: method('', (self) => /^\p{L}+$/u.test(self)),
  isalnum: method('', (self) => /^[\p{L}\p{N}]+$/u.test(self)),
  isspace: method('', (self) => new RegExp(`^${SPACE}+$`).test(self)),
  isupper: method('', (self) => self === self.toUpperCase() && self !== self.toLowerCase()),
  islower: method('', (self) => self === self.toLowerCase() && self !== self.toUpperCase()),
  istitle: method('', (self) => self === title(self) && self.toLowerCase() !== self.toUpperCase()),
  isidentifier: method('', (self) => /^[\p{ID_Start}_]\p{ID_Continue}*$/u.test(self)),
  isascii: method('', (self) => !/[^\x00-\x7f]/.test(self)),
  format: method('*args **kwargs', (self, _values, bound) => formatMethod(self, bound.rest, bound.keywords)),
  format_map: method('mapping', (self, [mapping]) => {
    const keywords = new Map(
      [...(mapping as ReadonlyMap<Data, Data>)].map(([key, value]) => [String(key), value]),
    );
    return formatMethod(self, [], keywords);
  }),
};

/** A given string; anything else is an error. */
export function text(value: Data | undefined): string {
  if (typeof value === 'string') return value;
  throw typeFault(`expected a string, got '${typeName(defined(value ?? null))}'`);
}

/** A given whole number as JavaScript's; -1 if none is given. */
function number(value: Data | undefined): number {
  if (value === undefined) return -1;
  if (typeof value === 'number' || typeof value === 'boolean') return Number(value);
  throw typeFault(`expected an integer, got '${typeName(defined(value))}'`);
}

function found(index: number): number {
  if (index < 0) throw typeFault('substring not found');
  return index;
}

export function capitalize(value: string): string {
  const [first = '', ...rest] = value;
  return first.toUpperCase() + rest.join('').toLowerCase();
}

function title(value: string): string {
  return value.replaceAll(/\p{L}+/gu, capitalize);
}

/** Python's `strip`: white space, or any of the given characters. */
export function strip(value: string, chars: Data | undefined, left: boolean, right: boolean): string {
  if (chars === undefined || chars === null) {
    let result = value;
    if (left) result = result.replace(LEADING, '');
    return right ? result.replace(TRAILING, '') : result;
  }
  const unwanted = new Set(text(chars));
  const characters = [...value];
  let start = 0;
  let end = characters.length;
  if (left) while (start < end && unwanted.has(characters[start]!)) start++;
  if (right) while (end > start && unwanted.has(characters[end - 1]!)) end--;
  return characters.slice(start, end).join('');
}

/** Python's `split`. */
export function split(value: string, separator: Data | undefined, most: Data | undefined): string[] {
  const limit = number(most);
  if (separator === undefined || separator === null) {
    const trimmed = value.replace(LEADING, '');
    if (trimmed.replace(TRAILING, '') === '') return [];
    if (limit < 0) return trimmed.replace(TRAILING, '').split(new RegExp(WORDS));
    const parts: string[] = [];
    let rest = trimmed;
    while (parts.length < limit) {
      const gap = new RegExp(`${SPACE}+`).exec(rest);
      if (!gap) break;
      parts.push(rest.slice(0, gap.index));
      rest = rest.slice(gap.index + gap[0].length);
      if (rest === '') return parts;
    }
    return [...parts, parts.length < limit ? rest.replace(TRAILING, '') : rest];
  }
  const by = text(separator);
  if (by === '') throw typeFault('empty separator');
  const parts = value.split(by);
  if (limit < 0 || parts.length <= limit + 1) return parts;
  return [...parts.slice(0, limit), parts.slice(limit).join(by)];
}

function rsplit(value: string, separator: Data | undefined, most: Data | undefined): string[] {
  const limit = number(most);
  if (limit < 0) return split(value, separator, undefined);
  if (separator === undefined || separator === null) {
    const reversed = split([...value].reverse().join(''), undefined, limit);
    return reversed.map((part) => [...part].reverse().join('')).reverse();
  }
  const by = text(separator);
  const parts = split(value, by, undefined);
  if (parts.length <= limit + 1) return parts;
  const head = parts.length - limit;
  return [parts.slice(0, head).join(by), ...parts.slice(head)];
}

/** Python's `splitlines`: no empty line after the last line break. */
export function splitLines(value: string, keepEnds = false): string[] {
  const lines =
    value.match(
      /[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]*(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])|[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+$/g,
    ) ?? [];
  return keepEnds
    ? [...lines]
    : lines.map((line) => line.replace(/(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])$/, ''));
}

function partition(value: string, separator: string, at: number, fromRight: boolean): Tuple {
  if (separator === '') throw typeFault('empty separator');
  if (at < 0) return Tuple.containing(fromRight ? ['', '', value] : [value, '', '']);
  return Tuple.containing([value.slice(0, at), separator, value.slice(at + separator.length)]);
}

function join(separator: string, items: Data): string {
  return iterate(items)
    .map((item, index) => {
      if (typeof item === 'string') return item;
      throw typeFault(`sequence item ${index}: expected str instance, ${typeName(defined(item))} found`);
    })
    .join(separator);
}

/** Python's `replace`; a negative count replaces all. */
export function replace(value: string, old: string, by: string, count: number): string {
  if (count < 0)
    return old === '' ? [...value].reduce((all, one) => all + one + by, by) : value.replaceAll(old, () => by);
  if (old === '') {
    const characters = [...value];
    let done = 0;
    let result = '';
    for (const one of characters) result += (done++ < count ? by : '') + one;
    return done < count ? result + by : result;
  }
  const parts = value.split(old);
  const replaced = Math.min(count, parts.length - 1);
  return [...parts.slice(0, replaced).map((part) => part + by), parts.slice(replaced).join(old)].join('');
}

function affix(
  value: string,
  affixes: Data,
  start: Data | undefined,
  end: Data | undefined,
  check: 'startsWith' | 'endsWith',
): boolean {
  const part =
    start === undefined && end === undefined ? value : (slice(value, start, end, undefined) as string);
  if (isSequence(affixes)) {
    if (!(affixes instanceof Tuple))
      throw typeFault(`${check.toLowerCase()} first arg must be str or a tuple of str, not list`);
    return affixes.some((one) => part[check](text(one)));
  }
  return part[check](text(affixes));
}

function find(
  value: string,
  sub: Data | undefined,
  start: Data | undefined,
  end: Data | undefined,
  last: boolean,
): number {
  const from = start === undefined || start === null ? 0 : number(start);
  const size = lengthOf(value);
  const offset = Math.min(from < 0 ? Math.max(0, from + size) : from, size);
  const part = slice(value, offset, end, undefined) as string;
  const at = last ? part.lastIndexOf(text(sub)) : part.indexOf(text(sub));
  return at < 0 ? -1 : offset + lengthOf(part.slice(0, at));
}

/** Pads a text on one or both sides. */
export function justify(
  value: string,
  width: Data | undefined,
  fill: Data | undefined,
  side: 'left' | 'right' | 'center',
): string {
  if (width instanceof Float) throw typeFault("'float' object cannot be interpreted as an integer");
  const filler = fill === undefined ? ' ' : text(fill);
  if (lengthOf(filler) !== 1) throw typeFault('The fill character must be exactly one character long');
  const missing = number(width) - lengthOf(value);
  if (missing <= 0) return value;
  if (side === 'left') return value + filler.repeat(missing);
  if (side === 'right') return filler.repeat(missing) + value;
  // CPython puts the odd one on the left only if the width is odd too.
  const left = Math.floor(missing / 2) + (missing & number(width) & 1);
  return filler.repeat(left) + value + filler.repeat(missing - left);
}

function expandTabs(value: string, size: number): string {
  let column = 0;
  let result = '';
  for (const one of value) {
    if (one === '\t') {
      const spaces = size > 0 ? size - (column % size) : 0;
      result += ' '.repeat(spaces);
      column += spaces;
    } else {
      result += one;
      column = one === '\n' || one === '\r' ? 0 : column + 1;
    }
  }
  return result;
}
