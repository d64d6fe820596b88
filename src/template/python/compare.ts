import { Float, isDict } from '../../lib/value.ts';
import {
  defined,
  isMapping,
  isSequence,
  PythonObject,
  RangeList,
  Tuple,
  typeFault,
  typeName,
  Undefined,
  type Data,
  type DataDict,
} from './objects.ts';

/** Python's truth of a value. */
export function truth(value: Data): boolean {
  if (value === null) return false;
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      return value !== '';
    case 'number':
      return value !== 0;
    case 'bigint':
      return value !== 0n;
    default:
  }
  if (value instanceof Float) return value.value !== 0;
  if (isSequence(value)) return value.length > 0;
  if (isMapping(value)) return value.size > 0;
  if (value instanceof Undefined) throw value.fault();
  return true;
}

/** A value as a number, if Python takes it for one: True is 1. */
export function numeric(value: Data): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value instanceof Float ? value.value : undefined;
}

function sameNumber(x: number | bigint, y: number | bigint): boolean {
  if (typeof x === typeof y) return x === y;
  const [number, big] = typeof x === 'number' ? [x, y] : [Number(y), x];
  return Number.isInteger(number) && BigInt(number) === big;
}

/** Python's `==`. */
export function equal(a: Data, b: Data): boolean {
  if (a === b && !(a instanceof Undefined)) return !(a instanceof Float && Number.isNaN(a.value));
  defined(a);
  defined(b);
  const x = numeric(a);
  if (x !== undefined) {
    const y = numeric(b);
    return y !== undefined && sameNumber(x, y);
  }
  if (isSequence(a)) {
    if (
      !isSequence(b) ||
      a instanceof Tuple !== b instanceof Tuple ||
      a instanceof RangeList !== b instanceof RangeList
    )
      return false;
    return a.length === b.length && a.every((item, index) => equal(item, b[index]!));
  }
  if (isMapping(a)) return isMapping(b) && equalDicts(a, b);
  if (a instanceof PythonObject && b instanceof PythonObject) {
    const order = a.order();
    return order !== undefined && a.typeName === b.typeName && order === b.order();
  }
  return false;
}

function equalDicts(a: DataDict, b: DataDict): boolean {
  if (a.size !== b.size) return false;
  for (const [key, item] of a) {
    const other = dictGet(b, key);
    if (other === undefined || !equal(item, other)) return false;
  }
  return true;
}

/** The value of a key, where keys are equal as in Python: 1, 1.0 and True are one key. */
export function dictGet(dict: DataDict, key: Data): Data | undefined {
  const direct = dict.get(key);
  if (direct !== undefined || typeof key === 'string' || key === null) return direct;
  requireHashable(key);
  for (const [other, value] of dict) if (typeof other !== 'string' && equal(other, key)) return value;
  return undefined;
}

/** Sets a key in a dictionary, replacing an equal one. */
export function dictSet(dict: Map<Data, Data>, key: Data, value: Data): void {
  if (typeof key !== 'string' && key !== null && !dict.has(key)) {
    requireHashable(key);
    for (const other of dict.keys()) {
      if (typeof other !== 'string' && equal(other, key)) {
        dict.set(other, value);
        return;
      }
    }
  }
  dict.set(key, value);
}

/** Lists and dictionaries cannot be keys. */
export function requireHashable(value: Data): void {
  defined(value);
  if (isDict(value) || (isSequence(value) && !(value instanceof Tuple))) {
    throw typeFault(`unhashable type: '${typeName(value)}'`);
  }
}

/** Python's order of two values: negative, zero or positive. What has no order is an error naming the operator. */
export function compare(a: Data, b: Data, operator = '<'): number {
  defined(a);
  defined(b);
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  const x = numeric(a);
  const y = numeric(b);
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : sameNumber(x, y) ? 0 : Number.NaN;
  if (isSequence(a) && isSequence(b) && a instanceof Tuple === b instanceof Tuple) {
    for (let index = 0; index < a.length && index < b.length; index++) {
      if (!equal(a[index]!, b[index]!)) return compare(a[index]!, b[index]!, operator);
    }
    return a.length - b.length;
  }
  if (a instanceof PythonObject && b instanceof PythonObject && a.typeName === b.typeName) {
    const left = a.order();
    const right = b.order();
    if (left !== undefined && right !== undefined) return left - right;
  }
  throw typeFault(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

/** Order by code points, not by UTF-16 units. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x === y) continue;
    // A surrogate stands for a character beyond all others.
    const surrogateX = x >= 0xd800 && x <= 0xdfff;
    const surrogateY = y >= 0xd800 && y <= 0xdfff;
    return surrogateX === surrogateY ? x - y : surrogateX ? 1 : -1;
  }
  return a.length - b.length;
}

/** Python's `in`. */
export function contains(container: Data, item: Data): boolean {
  if (typeof container === 'string') {
    defined(item);
    if (typeof item !== 'string') {
      throw typeFault(`'in <string>' requires string as left operand, not ${typeName(item)}`);
    }
    return container.includes(item);
  }
  if (isSequence(container)) {
    defined(item);
    return container.some((one) => equal(one, item));
  }
  if (isMapping(container)) {
    defined(item);
    if (typeof item === 'string' || item === null) return container.has(item);
    return dictGet(container, item) !== undefined;
  }
  defined(container);
  throw typeFault(`argument of type '${typeName(container)}' is not iterable`);
}
