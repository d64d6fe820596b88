import { Float, type Value } from './value.ts';

const INT = /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$/;
const FLOAT = /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)$/;
const SEXAGESIMAL = /^([-+]?)([0-9][0-9_]*(?::[0-5]?[0-9])+)(\.[0-9_]*)?$/;

const WORDS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ...forms('yes', true),
  ...forms('true', true),
  ...forms('on', true),
  ...forms('no', false),
  ...forms('false', false),
  ...forms('off', false),
  ...forms('null', null),
  ['~', null],
  ['', null],
  ['.inf', new Float(Infinity)],
  ['.Inf', new Float(Infinity)],
  ['.INF', new Float(Infinity)],
  ['.nan', new Float(NaN)],
  ['.NaN', new Float(NaN)],
  ['.NAN', new Float(NaN)],
]);

/**
 * What an unquoted YAML scalar stands for, by the rules of PyYAML, which are not quite YAML 1.1's: `y` is a string,
 * a float's exponent needs a sign, `1:30` is ninety. Dates stay text, since text is what playbooks do with them.
 */
export function resolvePlainScalar(text: string): Value {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text)) return text;
  if (/^[-+]\.(?:inf|Inf|INF)$/.test(text)) return new Float(text.startsWith('-') ? -Infinity : Infinity);
  if (INT.test(text)) return integer(text) ?? text;
  if (FLOAT.test(text)) return new Float(Number(text.replaceAll('_', '')));
  return sexagesimal(text) ?? text;
}

/** A whole number as Value has it: a bigint only where a number would lose digits. */
export function wholeNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function forms(word: string, value: Value): readonly (readonly [string, Value])[] {
  return [word, word.toUpperCase(), `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`].map(
    (form) => [form, value] as const,
  );
}

function integer(text: string): number | bigint | undefined {
  const digits = text.replace(/^[-+]/, '').replaceAll('_', '');
  // Underscores alone after the prefix are no number.
  if (/^0[bx]$/.test(digits)) return undefined;
  const plain = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  const value = BigInt(plain);
  return wholeNumber(text.startsWith('-') ? -value : value);
}

/** `1:30` and `20:30.15`. A leading zero makes an int a string (`08:30`), but not a float: PyYAML's rules. */
function sexagesimal(text: string): Value | undefined {
  const match = SEXAGESIMAL.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction] = match;
  if (fraction === undefined && whole.startsWith('0')) return undefined;
  const total = whole
    .replaceAll('_', '')
    .split(':')
    .reduce((sum, part) => sum * 60n + BigInt(part), 0n);
  const signed = sign === '-' ? -total : total;
  if (fraction === undefined) return wholeNumber(signed);
  const rest = Number(`0${fraction.replaceAll('_', '')}`);
  return new Float(sign === '-' ? -(Number(total) + rest) : Number(total) + rest);
}
