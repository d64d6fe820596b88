import { floatText } from '../../lib/float-text.ts';
import { Float } from '../../lib/value.ts';
import { itemOf } from './access.ts';
import { numeric } from './compare.ts';
import { formatFloat } from './number-format.ts';
import { defined, PythonObject, typeFault, typeName, type Data } from './objects.ts';
import { repr, str } from './text.ts';

/** Python's `'…'.format(…)`. */
export function formatMethod(
  format: string,
  positional: readonly Data[],
  keywords: ReadonlyMap<string, Data>,
): string {
  let automatic = 0;
  const render = (source: string, depth: number): string => {
    let result = '';
    let at = 0;
    while (at < source.length) {
      const one = source[at]!;
      if (one === '{' || one === '}') {
        if (source[at + 1] === one) {
          result += one;
          at += 2;
          continue;
        }
        if (one === '}') throw typeFault("Single '}' encountered in format string");
        const end = closing(source, at);
        result += field(source.slice(at + 1, end), depth);
        at = end + 1;
        continue;
      }
      result += one;
      at++;
    }
    return result;
  };
  const field = (body: string, depth: number): string => {
    if (depth > 2) throw typeFault('Max string recursion exceeded');
    const parts = /^([^!:]*)(?:!([rsa]))?(?::([\s\S]*))?$/.exec(body);
    if (!parts) throw typeFault(`the replacement field {${body}} is not understood`);
    const [, path = '', conversion, spec = ''] = parts;
    const [, first = '', rest = ''] = /^([^.[]*)([\s\S]*)$/.exec(path)!;
    let value: Data | undefined;
    if (first === '') value = positional[automatic++];
    else if (/^\d+$/.test(first)) value = positional[Number(first)];
    else value = keywords.get(first);
    if (value === undefined) throw typeFault(`the format string's field {${path}} has no value`);
    for (const [, attribute, index] of rest.matchAll(/\.([^.[]+)|\[([^\]]+)\]/g)) {
      const key = attribute ?? (/^\d+$/.test(index!) ? Number(index) : index!);
      // Attributes of plain values are Python's own, which do not exist here.
      value = attribute !== undefined && !(value instanceof PythonObject) ? undefined : itemOf(value, key);
      if (value === undefined) throw typeFault(`the format string's field {${path}} has no value`);
    }
    if (conversion === 'r' || conversion === 'a') value = repr(value);
    else if (conversion === 's') value = str(value);
    return formatValue(defined(value), render(spec, depth + 1));
  };
  return render(format, 1);
}

function closing(source: string, open: number): number {
  let depth = 0;
  for (let at = open; at < source.length; at++) {
    if (source[at] === '{') depth++;
    else if (source[at] === '}' && --depth === 0) return at;
  }
  throw typeFault("Single '{' encountered in format string");
}

const SPEC = /^(?:([\s\S])?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/u;

/** Python's `format(value, spec)`. */
export function formatValue(value: Data, spec: string): string {
  if (spec === '') return str(value);
  const parts = SPEC.exec(spec);
  if (!parts) throw typeFault(`Invalid format specifier '${spec}'`);
  const [, fill, alignment, sign = '-', , alternate, zero, width, grouping, precision, type] = parts;
  const number = numeric(value);
  const isNumber = number !== undefined && !(typeof value === 'boolean' && type === undefined);
  if (!isNumber && typeof value !== 'string' && typeof value !== 'boolean') {
    throw typeFault(`unsupported format string passed to ${typeName(value)}.__format__`);
  }
  let text: string;
  if (!isNumber) {
    if (type !== undefined && type !== 's')
      throw typeFault(`Unknown format code '${type}' for object of type 'str'`);
    const plain = str(value);
    text = precision === undefined ? plain : [...plain].slice(0, Number(precision)).join('');
  } else {
    const digits = precision === undefined ? undefined : Number(precision);
    text = formatNumber(value, number, type, digits, alternate !== undefined);
    if (grouping) text = group(text, grouping, type);
    if (!text.startsWith('-') && sign !== '-') text = sign + text;
  }
  return align(
    text,
    fill ?? (zero ? '0' : ' '),
    alignment ?? (isNumber ? (zero ? '=' : '>') : '<'),
    Number(width ?? 0),
  );
}

function formatNumber(
  value: Data,
  number: number | bigint,
  type: string | undefined,
  digits: number | undefined,
  alternate: boolean,
): string {
  switch (type) {
    case 'b':
    case 'o':
    case 'x':
    case 'X':
    case 'd':
    case 'n':
    case 'c': {
      if (value instanceof Float) throw typeFault(`Unknown format code '${type}' for object of type 'float'`);
      if (type === 'c') return String.fromCodePoint(Number(number));
      const base = type === 'b' ? 2 : type === 'o' ? 8 : type === 'd' || type === 'n' ? 10 : 16;
      const absolute = (number < 0 ? -number : number).toString(base);
      const text = (alternate && base !== 10 ? `0${type.toLowerCase()}` : '') + absolute;
      return (number < 0 ? '-' : '') + (type === 'X' ? text.toUpperCase() : text);
    }
    case '%':
      return `${formatFloat(Number(number) * 100, 'f', digits ?? 6)}%`;
    case undefined:
      if (!(value instanceof Float)) return number.toString();
      if (digits === undefined) return floatText(value.value);
      return withPoint(formatFloat(value.value, 'g', digits));
    case 's':
      throw typeFault(`Unknown format code 's' for object of type '${typeName(value)}'`);
    default:
      return formatFloat(Number(number), type, digits ?? 6, alternate);
  }
}

function withPoint(text: string): string {
  return /[.en]/.test(text) ? text : `${text}.0`;
}

function group(text: string, separator: string, type: string | undefined): string {
  const every = type !== undefined && 'boxX'.includes(type) ? 4 : 3;
  const [, sign = '', whole = '', rest = ''] = /^(-?)([0-9a-fA-F]+)([\s\S]*)$/.exec(text) ?? [
    '',
    '',
    text,
    '',
  ];
  return sign + whole.replace(new RegExp(`\\B(?=(?:[0-9a-fA-F]{${every}})+$)`, 'g'), separator) + rest;
}

function align(text: string, fill: string, alignment: string, width: number): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  switch (alignment) {
    case '<':
      return text + fill.repeat(missing);
    case '^':
      return fill.repeat(Math.floor(missing / 2)) + text + fill.repeat(Math.ceil(missing / 2));
    case '=': {
      const sign = /^[-+ ]?(?:0[box])?/i.exec(text)?.[0] ?? '';
      return sign + fill.repeat(missing) + text.slice(sign.length);
    }
    default:
      return fill.repeat(missing) + text;
  }
}
