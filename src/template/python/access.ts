import { Float } from '../../lib/value.ts';
import { TemplateError } from '../error.ts';
import { dictGet, numeric } from './compare.ts';
import {
  defined,
  Group,
  isMapping,
  isSequence,
  own,
  PythonObject,
  RangeList,
  Tuple,
  typeFault,
  typeName,
  Undefined,
  type Data,
} from './objects.ts';

/** A sequence's or dictionary's item, or undefined if there is none. */
export function itemOf(value: Data, key: Data): Data | undefined {
  try {
    return plainItem(value, key);
  } catch (error) {
    // An item that is a template of its own, and misses something, is missing as a variable would be.
    if (!(error instanceof TemplateError) || error.kind !== 'undefined') throw error;
    return new Undefined(error.message, String(key), 0, undefined, error);
  }
}

function plainItem(value: Data, key: Data): Data | undefined {
  if (isMapping(value)) return typeof key === 'string' ? value.get(key) : dictGet(value, key);
  if (isSequence(value) || typeof value === 'string') {
    if (value instanceof Group && typeof key === 'string') {
      return key === 'grouper' ? value[0] : key === 'list' ? value[1] : undefined;
    }
    const index = key instanceof Float ? undefined : numeric(key);
    if (index === undefined) return undefined;
    if (typeof value === 'string') return characterAt(value, Number(index));
    return value.at(Number(index));
  }
  if (value instanceof PythonObject && typeof key === 'string') return value.attribute(key);
  return undefined;
}

function characterAt(text: string, index: number): string | undefined {
  if (isPlain(text)) return text.at(index);
  return [...text].at(index);
}

/** Whether every UTF-16 unit is a character of its own. */
function isPlain(text: string): boolean {
  return !/[\ud800-\udfff]/.test(text);
}

/** Python's `value[start:stop:step]`. */
export function slice(
  value: Data,
  start: Data | undefined,
  stop: Data | undefined,
  step: Data | undefined,
): Data {
  const given = defined(value);
  if (typeof given !== 'string' && !isSequence(given))
    throw typeFault(`'${typeName(given)}' object is not subscriptable with a slice`);
  const items: readonly Data[] = typeof given === 'string' ? [...given] : given;
  const by = bound(step) ?? 1;
  if (by === 0) throw typeFault('slice step cannot be zero');
  const { length } = items;
  const clamp = (index: number, low: number, high: number): number =>
    Math.min(Math.max(index < 0 ? index + length : index, low), high);
  const taken: Data[] = [];
  if (by > 0) {
    const first = clamp(bound(start) ?? 0, 0, length);
    const last = clamp(bound(stop) ?? length, 0, length);
    for (let index = first; index < last; index += by) taken.push(items[index]!);
  } else {
    const first = clamp(bound(start) ?? length - 1, -1, length - 1);
    const stopAt = bound(stop);
    const last = stopAt === undefined ? -1 : clamp(stopAt, -1, length - 1);
    for (let index = first; index > last; index += by) taken.push(items[index]!);
  }
  if (typeof given === 'string') return taken.join('');
  return given instanceof Tuple ? Tuple.containing(taken) : own(taken);
}

function bound(index: Data | undefined): number | undefined {
  if (index === undefined || index === null) return undefined;
  const number = defined(index) instanceof Float ? undefined : numeric(index);
  if (number === undefined) throw typeFault('slice indices must be integers or None');
  return Number(number);
}

/** What a for loop walks over: items, a dictionary's keys, a string's characters. */
export function iterate(value: Data): readonly Data[] {
  if (isSequence(value)) return value;
  if (isMapping(value)) return [...value.keys()];
  if (typeof value === 'string') return [...value];
  defined(value);
  throw typeFault(`'${typeName(value)}' object is not iterable`);
}

/** Python's `len()`. */
export function lengthOf(value: Data): number {
  if (typeof value === 'string') return isPlain(value) ? value.length : [...value].length;
  if (isSequence(value)) return value.length;
  if (isMapping(value)) return value.size;
  defined(value);
  throw typeFault(`object of type '${typeName(value)}' has no len()`);
}

/** Python's `range()`. */
export function range(args: readonly Data[]): RangeList {
  const numbers = args.map((one) => {
    const number = defined(one) instanceof Float ? undefined : numeric(one);
    if (number === undefined)
      throw typeFault(`'${typeName(one)}' object cannot be interpreted as an integer`);
    return Number(number);
  });
  if (numbers.length === 0 || numbers.length > 3) throw typeFault('range expects one to three arguments');
  const [start, stop, step] =
    numbers.length === 1 ? [0, numbers[0]!, 1] : [numbers[0]!, numbers[1]!, numbers[2] ?? 1];
  if (step === 0) throw typeFault('range() arg 3 must not be zero');
  if ((stop - start) / step > 1_000_000)
    throw typeFault('a range of more than a million numbers is not supported');
  const list = new RangeList();
  for (let index = start; step > 0 ? index < stop : index > stop; index += step) list.push(index);
  list.description = `range(${start}, ${stop}${step === 1 ? '' : `, ${step}`})`;
  return list;
}
