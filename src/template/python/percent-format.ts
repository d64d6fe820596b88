import { Float } from '../../lib/value.ts';
import { dictGet, numeric } from './compare.ts';
import { isMapping, isSequence, Tuple, typeFault, typeName, type Data } from './objects.ts';
import { formatFloat } from './number-format.ts';
import { repr, str } from './text.ts';

const DIRECTIVE = /%(?:\(([^)]*)\))?([#0\- +]*)(\*|\d+)?(?:\.(\*|\d+)?)?([hlL]?)([\s\S]|$)/g;

/** Python's `text % values`. */
export function percentFormat(format: string, values: Data, asTuple?: readonly Data[]): string {
  const list = asTuple ?? (values instanceof Tuple ? values : [values]);
  let used = 0;
  let byName = false;
  const next = (): Data => {
    if (used >= list.length) throw typeFault('not enough arguments for format string');
    return list[used++]!;
  };
  const text = format.replace(
    DIRECTIVE,
    (
      whole: string,
      key: string | undefined,
      flags: string,
      width?: string,
      precision?: string,
      _length?: string,
      type = '',
    ) => {
      if (type === '%') return '%';
      const hasPoint = /\.\d*[hlL]?[\s\S]?$/.test(whole) && whole.includes('.', (key?.length ?? 0) + 1);
      const size = width === '*' ? count(next()) : Number(width ?? 0);
      const digits =
        precision === '*'
          ? count(next())
          : precision === undefined
            ? hasPoint
              ? 0
              : undefined
            : Number(precision);
      let value: Data;
      if (key === undefined) value = next();
      else {
        if (!isMapping(values)) throw typeFault('format requires a mapping');
        byName = true;
        const found = dictGet(values, key);
        if (found === undefined) throw typeFault(`the key '${key}' of the format string is missing`);
        value = found;
      }
      return pad(convert(type, value, flags, digits), size, flags, 'diouxXeEfFgG'.includes(type));
    },
  );
  if (
    !byName &&
    used < list.length &&
    !(asTuple === undefined && (isMapping(values) || (isSequence(values) && !(values instanceof Tuple))))
  ) {
    throw typeFault('not all arguments converted during string formatting');
  }
  return text;
}

function count(value: Data): number {
  if (typeof value !== 'number') throw typeFault('* wants int');
  return value;
}

function convert(type: string, value: Data, flags: string, digits: number | undefined): string {
  switch (type) {
    case 's':
      return cut(str(value), digits);
    case 'r':
      return cut(repr(value), digits);
    case 'c':
      return typeof value === 'number' ? String.fromCodePoint(value) : str(value);
    case 'd':
    case 'i':
    case 'u':
      return withSign(wholeDigits(type, value), flags, digits);
    case 'x':
    case 'X':
    case 'o':
      return inBase(type, value, flags, digits);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': {
      const x = numeric(value);
      if (x === undefined) throw typeFault(`must be real number, not ${typeName(value)}`);
      return withSign(formatFloat(Number(x), type, digits ?? 6, flags.includes('#')), flags, undefined);
    }
    case '':
      throw typeFault('incomplete format');
    default:
      throw typeFault(`unsupported format character '${type}'`);
  }
}

function cut(text: string, digits: number | undefined): string {
  return digits === undefined ? text : [...text].slice(0, digits).join('');
}

function wholeDigits(type: string, value: Data): string {
  const x = numeric(value);
  if (x === undefined) throw typeFault(`%${type} format: a real number is required, not ${typeName(value)}`);
  return value instanceof Float ? BigInt(Math.trunc(value.value)).toString() : x.toString();
}

function withSign(text: string, flags: string, digits: number | undefined): string {
  const negative = text.startsWith('-');
  const body = (negative ? text.slice(1) : text).padStart(digits ?? 0, '0');
  return (negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + body;
}

function inBase(type: string, value: Data, flags: string, digits: number | undefined): string {
  const x = value instanceof Float ? undefined : numeric(value);
  if (x === undefined) throw typeFault(`%${type} format: an integer is required, not ${typeName(value)}`);
  let text = (x < 0 ? -x : x).toString(type === 'o' ? 8 : 16).padStart(digits ?? 0, '0');
  if (flags.includes('#')) text = `0${type.toLowerCase()}${text}`;
  if (type === 'X') text = text.toUpperCase();
  return withSign(x < 0 ? `-${text}` : text, flags, undefined);
}

function pad(text: string, width: number, flags: string, isNumber: boolean): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (flags.includes('0') && isNumber) {
    const sign = /^[-+ ]?(?:0[xXo])?/.exec(text)?.[0] ?? '';
    return sign + '0'.repeat(missing) + text.slice(sign.length);
  }
  return ' '.repeat(missing) + text;
}
