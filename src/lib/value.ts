import { floatText } from './float-text.ts';

/**
 * The values that playbooks, inventories and templates work with: Python's, since playbooks are written for Python.
 * Dictionaries are Maps because a plain object reorders keys that look like integers and has string keys only.
 */
export type Value = null | boolean | number | bigint | Float | string | readonly Value[] | Dict;

/** A Python `dict`: keeps insertion order, keys of any scalar type. */
export type Dict = ReadonlyMap<Value, Value>;

/**
 * A Python `float`. Plain JavaScript numbers stand for `int` and are always whole; `1.0` and `1` print differently
 * in Python, so a float needs a type of its own. Whole numbers beyond 2^53 are bigints.
 */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toString(): string {
    return floatText(this.value);
  }
}

export function isDict(value: unknown): value is Dict {
  return value instanceof Map;
}

export function isList(value: unknown): value is readonly Value[] {
  return Array.isArray(value);
}

/** Plain data (as JSON.parse or zod give it) as a Value. Numbers with a fraction become Floats. */
export function fromPlain(plain: unknown): Value {
  if (plain === null || plain === undefined) return null;
  switch (typeof plain) {
    case 'boolean':
    case 'string':
    case 'bigint':
      return plain;
    case 'number':
      return Number.isInteger(plain) ? plain : new Float(plain);
    case 'object':
      if (plain instanceof Float) return plain;
      if (Array.isArray(plain)) return plain.map(fromPlain);
      if (plain instanceof Map) {
        return new Map([...plain].map(([key, value]) => [fromPlain(key), fromPlain(value)]));
      }
      return new Map(
        Object.entries(plain)
          .filter(([, value]) => value !== undefined)
          .map(([key, value]) => [key, fromPlain(value)]),
      );
    default:
      throw new TypeError(`not a value: ${typeof plain}`);
  }
}

/** A Value as plain data: Maps become objects with string keys, Floats and bigints become numbers. */
export function toPlain(value: Value): unknown {
  if (value instanceof Float) return value.value;
  if (typeof value === 'bigint') return Number(value);
  if (isList(value)) return value.map(toPlain);
  if (isDict(value)) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), toPlain(item)]));
  }
  return value;
}
