import { isAlias, isMap, isScalar, isSeq, type Document, type Node } from 'yaml';

import { Float } from '../../lib/value.ts';
import { integer } from '../python/arithmetic.ts';
import { dictSet } from '../python/compare.ts';
import { own, typeFault, type Data } from '../python/objects.ts';
import { resolveScalar } from './yaml-scalar.ts';

/** A YAML document as PyYAML's safe loader reads it. */
export function fromYaml(document: Document): Data {
  const [error] = document.errors;
  if (error) throw typeFault(`from_yaml: ${error.message.split('\n')[0]}`);
  return document.contents ? read(document.contents, document) : null;
}

function read(node: Node | null | undefined, document: Document): Data {
  if (!node) return null;
  if (isAlias(node)) return read(node.resolve(document), document);
  if (isSeq(node)) return own(node.items.map((item) => read(item as Node, document)));
  if (isMap(node)) {
    const dict = new Map<Data, Data>();
    const merged: Data[] = [];
    for (const { key, value } of node.items) {
      const isMerge = isScalar(key) && key.type === 'PLAIN' && key.source === '<<';
      const item = read(value as Node | null, document);
      if (isMerge) merged.push(...(Array.isArray(item) ? (item as Data[]) : [item]));
      else dictSet(dict, read(key as Node, document), item);
    }
    if (merged.length === 0) return own(dict);
    const complete = new Map<Data, Data>();
    for (const one of merged.reverse()) {
      if (!(one instanceof Map)) throw typeFault('from_yaml: expected a mapping to merge');
      for (const [key, value] of one as ReadonlyMap<Data, Data>) complete.set(key, value);
    }
    for (const [key, value] of dict) complete.set(key, value);
    return own(complete);
  }
  if (!isScalar(node)) throw typeFault('from_yaml: a node of an unknown kind');
  if (node.tag !== undefined && !/^tag:yaml\.org,2002:(?:str|int|float|bool|null)$/.test(node.tag)) {
    throw typeFault(`from_yaml: the tag ${node.tag} is not supported`);
  }
  if (node.tag === undefined && node.type === 'PLAIN') return resolveScalar(node.source ?? '');
  const value = node.value;
  if (typeof value === 'bigint') return integer(value);
  if (typeof value === 'number') return new Float(value);
  return value as Data;
}
