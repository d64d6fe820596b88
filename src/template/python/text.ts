import { floatText } from '../../lib/float-text.ts';
import { Float } from '../../lib/value.ts';
import {
  isMapping,
  isSequence,
  type PythonObject,
  RangeList,
  Tuple,
  typeFault,
  typeName,
  Undefined,
  type Data,
} from './objects.ts';

/** Python's `str()`. */
export function str(value: Data): string {
  if (value instanceof Undefined && value.isBlank) return '';
  return typeof value === 'string' ? value : repr(value);
}

/** Python's `repr()`. */
export function repr(value: Data): string {
  if (value === null) return 'None';
  switch (typeof value) {
    case 'string':
      return reprString(value);
    case 'number':
    case 'bigint':
      return String(value);
    case 'boolean':
      return value ? 'True' : 'False';
    default:
  }
  if (value instanceof Float) return floatText(value.value);
  if (value instanceof Tuple)
    return value.length === 1 ? `(${repr(value[0]!)},)` : `(${value.map(repr).join(', ')})`;
  if (value instanceof RangeList) return value.description;
  if (isSequence(value)) return `[${value.map(repr).join(', ')}]`;
  if (isMapping(value))
    return `{${[...value].map(([key, item]) => `${repr(key)}: ${repr(item)}`).join(', ')}}`;
  if (value instanceof Undefined) throw value.fault();
  return printObject(value);
}

function printObject(value: PythonObject): string {
  const text = value.text();
  if (text === undefined) throw typeFault(`a ${typeName(value)} cannot be printed`);
  return text;
}

const NAMED: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/** What Python's `str.isprintable` denies. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const SPECIAL = /[\\\n\r\t]|[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

function reprString(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  let text = value;
  if (text.includes('\\') || UNPRINTABLE.test(text)) text = text.replaceAll(SPECIAL, escapeCharacter);
  if (quote === "'" && text.includes("'")) text = text.replaceAll("'", "\\'");
  return quote + text + quote;
}

function escapeCharacter(character: string): string {
  const named = NAMED[character];
  if (named) return named;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${hex.padStart(4, '0')}`;
  return `\\U${hex.padStart(8, '0')}`;
}
