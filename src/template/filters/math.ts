import { Float } from '../../lib/value.ts';
import { integer } from '../python/arithmetic.ts';
import { numeric, truth } from '../python/compare.ts';
import { fixed } from '../python/number-format.ts';
import { isMapping, isSequence, typeFault, typeName, type Data } from '../python/objects.ts';
import { str } from '../python/text.ts';
import { filter, type Filters } from './define.ts';

/** Filters about numbers. */
export const mathFilters: Filters = {
  int: filter('default? base?', (value, [fallback = 0, base = 10]) =>
    toInteger(value, fallback, Number(numeric(base))),
  ),
  float: filter('default?', (value, [fallback = new Float(0)]) => {
    if (typeof value === 'string') return parseFloatText(value) ?? fallback;
    const number = numeric(value);
    return number === undefined ? fallback : new Float(Number(number));
  }),
  abs: filter('', (value) => {
    const number = numeric(value);
    if (number === undefined) throw typeFault(`bad operand type for abs(): '${typeName(value)}'`);
    return value instanceof Float ? new Float(Math.abs(value.value)) : number < 0 ? -number : number;
  }),
  round: filter('precision? method?', (value, [precision = 0, method = 'common']) =>
    // As in Python, rounding to no number of places gives a whole number.
    precision === null && method === 'common' && value instanceof Float
      ? roundHalfEven(value.value)
      : round(value, real(precision, 'round'), method),
  ),
  pow: filter('y', (value, [power]) => new Float(real(value, 'pow') ** real(power!, 'pow'))),
  log: filter('base?', (value, [base]) => {
    const x = real(value, 'log');
    if (x <= 0) throw typeFault('math domain error');
    if (base === undefined) return new Float(Math.log(x));
    const b = real(base, 'log');
    return new Float(b === 10 ? Math.log10(x) : Math.log(x) / Math.log(b));
  }),
  root: filter('base?', (value, [base]) => {
    const x = real(value, 'root');
    const b = base === undefined ? 2 : real(base, 'root');
    if (x < 0) throw typeFault('math domain error');
    return new Float(b === 2 ? Math.sqrt(x) : x ** (1 / b));
  }),
  human_readable: filter('isbits? unit?', (value, [bits = false, unit = null]) =>
    humanReadable(value, truth(bits), unit),
  ),
  human_to_bytes: filter('default_unit? isbits?', (value, [unit = null, bits = false]) =>
    humanToBytes(value, unit, truth(bits)),
  ),
};

function real(value: Data, name: string): number {
  const number = numeric(value);
  if (number === undefined) throw typeFault(`${name} can only be used on numbers, not ${typeName(value)}`);
  return Number(number);
}

const FLOAT_TEXT = /^\s*[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[-+]?\d+)?\s*$/i;

/** A text as Python's `float()` reads it. */
export function parseFloatText(value: string): Float | undefined {
  if (FLOAT_TEXT.test(value) && !/_(?!\d)|(?<!\d)_/.test(value))
    return new Float(Number(value.replaceAll('_', '').trim()));
  const special = /^\s*([-+]?)(inf|infinity|nan)\s*$/i.exec(value);
  if (!special) return undefined;
  const size = special[2]!.toLowerCase() === 'nan' ? Number.NaN : Number.POSITIVE_INFINITY;
  return new Float(special[1] === '-' ? -size : size);
}

function toInteger(value: Data, fallback: Data, base: number): Data {
  if (typeof value === 'string') {
    const whole = Number.isNaN(base) ? undefined : parseIntegerText(value, base);
    if (whole !== undefined) return whole;
    const float = parseFloatText(value);
    return float && Number.isFinite(float.value) ? integer(BigInt(Math.trunc(float.value))) : fallback;
  }
  if (value instanceof Float)
    return Number.isFinite(value.value) ? integer(BigInt(Math.trunc(value.value))) : fallback;
  return numeric(value) ?? fallback;
}

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz';
const PREFIXES: Readonly<Record<string, number>> = { '0x': 16, '0o': 8, '0b': 2 };

/** A text as Python's `int(text, base)` reads it. */
export function parseIntegerText(value: string, base: number): number | bigint | undefined {
  const match = /^\s*([-+]?)(0[xob])?(_?[0-9a-z]+(?:_[0-9a-z]+)*)\s*$/i.exec(value.toLowerCase());
  if (!match) return undefined;
  const [, sign, prefix, digits = ''] = match;
  let body = digits;
  let radix = base;
  if (prefix !== undefined) {
    const prefixBase = PREFIXES[prefix]!;
    if (base === 0 || base === prefixBase) radix = prefixBase;
    else body = prefix + body;
  } else if (base === 0) radix = 10;
  if (body.startsWith('_') && (prefix === undefined || radix !== PREFIXES[prefix])) return undefined;
  let total = 0n;
  for (const digit of body.replaceAll('_', '')) {
    const number = DIGITS.indexOf(digit);
    if (number < 0 || number >= radix) return undefined;
    total = total * BigInt(radix) + BigInt(number);
  }
  return integer(sign === '-' ? -total : total);
}

function round(value: Data, precision: number, method: Data): Data {
  const number = numeric(value);
  if (number === undefined) throw typeFault(`type ${typeName(value)} doesn't define __round__ method`);
  if (method === 'common') {
    if (!(value instanceof Float)) {
      if (precision >= 0) return number;
      const size = 10n ** BigInt(-precision);
      const big = BigInt(number);
      const rest = ((big % size) + size) % size;
      const low = big - rest;
      const up = rest * 2n > size || (rest * 2n === size && (low / size) % 2n !== 0n);
      return integer(up ? low + size : low);
    }
    if (!Number.isFinite(value.value)) return value;
    return new Float(Number(fixed(value.value, precision)));
  }
  if (method !== 'ceil' && method !== 'floor') throw typeFault('method must be common, ceil or floor');
  const scale = 10 ** precision;
  // math.ceil and math.floor give an int, which is then divided by a float-free power: always a float.
  return new Float(Math[method](Number(number) * scale) / scale);
}

const SIZES: readonly (readonly [string, number])[] = [
  ['Y', 2 ** 80],
  ['Z', 2 ** 70],
  ['E', 2 ** 60],
  ['P', 2 ** 50],
  ['T', 2 ** 40],
  ['G', 2 ** 30],
  ['M', 2 ** 20],
  ['K', 2 ** 10],
  ['B', 1],
];

function humanReadable(value: Data, bits: boolean, unit: Data): string {
  const size = typeof value === 'string' ? undefined : numeric(value);
  if (size === undefined) throw typeFault('human_readable() failed on bad input: a number is needed');
  const base = bits ? 'bits' : 'Bytes';
  const wanted = unit === null ? undefined : str(unit).toUpperCase();
  const found =
    SIZES.find(([suffix, limit]) => (wanted === undefined ? Number(size) >= limit : wanted[0] === suffix)) ??
    SIZES.at(-1)!;
  const [suffix, limit] = found;
  const name = limit === 1 ? base : suffix + (bits ? 'b' : 'B');
  return `${fixed(Number(size) / limit, 2)} ${name}`;
}

function humanToBytes(value: Data, defaultUnit: Data, bits: boolean): Data {
  if (isMapping(value) || isSequence(value))
    throw typeFault("human_to_bytes() can't interpret a list or a dictionary");
  const match = /^\s*([-+]?\d*\.?\d*)\s*([A-Za-z]+)?$/.exec(str(value));
  if (!match || match[1] === '' || match[1] === undefined || Number.isNaN(Number(match[1]))) {
    throw typeFault(`human_to_bytes() can't interpret following string: ${str(value)}`);
  }
  const number = Number(match[1]);
  const unit = match[2] ?? (defaultUnit === null ? undefined : str(defaultUnit));
  if (unit === undefined) return roundHalfEven(number);
  const prefix = unit[0]!.toUpperCase();
  const found = SIZES.find(([suffix]) => suffix === prefix);
  const valid = bits ? /^(?:.?b|.?bits?)$/i : /^(?:.?B|.?bytes?)$/i;
  if (
    !found ||
    !(unit.length === 1 || valid.test(unit.slice(1)) || /^(?:bytes?|bits?)$/i.test(unit)) ||
    (unit.length > 1 && unit.length <= 2 && unit[1] !== (bits ? 'b' : 'B'))
  ) {
    throw typeFault(`human_to_bytes() failed to convert ${str(value)}: unknown unit ${unit}`);
  }
  return roundHalfEven(number * found[1]);
}

function roundHalfEven(value: number): Data {
  return integer(BigInt(fixed(value, 0)));
}
