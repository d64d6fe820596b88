import { LazyDict } from '../lib/lazy-dict.ts';
import type { Expression } from './ast.ts';
import { isMapping, isSequence, PythonObject, typeName, Undefined, type Data } from './python/objects.ts';
import { repr } from './python/text.ts';
import type { Frame } from './runtime.ts';

/** How the source names a value: `a.b.c`. */
export function pathOf(node: Expression): string {
  switch (node.type) {
    case 'name':
      return node.name;
    case 'attribute':
      return `${pathOf(node.of)}.${node.name}`;
    case 'item':
      return node.key.type === 'constant'
        ? `${pathOf(node.of)}[${repr(node.key.value)}]`
        : `${pathOf(node.of)}[…]`;
    default:
      return '(…)';
  }
}

/** Stands for an attribute or item that is not there; says what is. */
export function missing(value: Data, key: Data, path: string, at: number, frame: Frame): Undefined {
  const kind = typeName(value);
  let reason: string;
  if (isMapping(value)) {
    const keys = value instanceof LazyDict ? [] : [...value.keys()].slice(0, 12);
    reason =
      keys.length > 0
        ? `the dictionary has no key ${repr(key)}, only ${keys.map(repr).join(', ')}`
        : `the dictionary has no key ${repr(key)}`;
  } else if (typeof key === 'number' && (isSequence(value) || typeof value === 'string')) {
    reason = `the ${kind} has no item ${key}, its length is ${value.length}`;
  } else
    reason = `a value of type ${kind} has no attribute ${repr(key instanceof PythonObject ? typeName(key) : key)}`;
  return new Undefined(`'${path}' is undefined: ${reason}`, path, at, frame.rendering.text);
}
