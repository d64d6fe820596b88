import { floatText } from './float-text.ts';
import { Float, isDict, isList, type Value } from './value.ts';

/** JSON as Python's `json.dumps` writes it by default: blanks after commas and colons, and nothing but ASCII. */
export function jsonText(value: Value): string {
  if (typeof value === 'string') return jsonString(value, true);
  if (value instanceof Float) return jsonFloat(value.value);
  if (isList(value)) return `[${value.map(jsonText).join(', ')}]`;
  if (isDict(value))
    return `{${[...value].map(([key, item]) => `${jsonKey(key)}: ${jsonText(item)}`).join(', ')}}`;
  return String(value);
}

/** Keys are text in JSON; Python writes those that are none as the value's own JSON. */
function jsonKey(key: Value): string {
  return typeof key === 'string' ? jsonString(key, true) : `"${jsonText(key)}"`;
}

export function jsonFloat(value: number): string {
  if (Number.isFinite(value)) return floatText(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

export function jsonString(value: string, ascii: boolean): string {
  const escaped = JSON.stringify(value);
  if (!ascii) return escaped;
  return escaped.replaceAll(
    /[^\x00-\x7e]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
