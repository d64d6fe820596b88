import { LazyDict } from '../../lib/lazy-dict.ts';
import { itemOf, iterate } from '../python/access.ts';
import { compare, equal, truth } from '../python/compare.ts';
import { arithmetic } from '../python/arithmetic.ts';
import {
  defined,
  present,
  Group,
  isMapping,
  own,
  typeFault,
  Undefined,
  type Data,
} from '../python/objects.ts';
import { methodOf } from '../python/methods.ts';
import { structural, filter, type CallContext, type Filters } from './define.ts';
import { str } from '../python/text.ts';

/** Filters that choose, order and group items. */
export const selectionFilters: Filters = {
  map: structural('*args **kwargs', (value, _values, call, { rest, keywords }) => {
    if (!truth(value)) return own([]);
    if (rest.length === 0 && keywords.has('attribute')) {
      const fallback = keywords.get('default');
      for (const key of keywords.keys()) {
        if (key !== 'attribute' && key !== 'default') throw typeFault(`map has no argument "${key}"`);
      }
      const get = getter(keywords.get('attribute')!, fallback);
      return own(iterate(value).map(get));
    }
    const [name, ...positional] = rest;
    if (typeof name !== 'string') throw typeFault('map requires a filter argument');
    return own(iterate(value).map((item) => call.filter(name, item, { positional, keyword: keywords })));
  }),
  select: structural('*args **kwargs', (value, _v, call, { rest, keywords }) =>
    choose(value, rest, keywords, call, { wanted: true, byAttribute: false }),
  ),
  reject: structural('*args **kwargs', (value, _v, call, { rest, keywords }) =>
    choose(value, rest, keywords, call, { wanted: false, byAttribute: false }),
  ),
  selectattr: structural('*args **kwargs', (value, _v, call, { rest, keywords }) =>
    choose(value, rest, keywords, call, { wanted: true, byAttribute: true }),
  ),
  rejectattr: structural('*args **kwargs', (value, _v, call, { rest, keywords }) =>
    choose(value, rest, keywords, call, { wanted: false, byAttribute: true }),
  ),
  attr: structural('name', (value, [name]) => {
    const found = typeof name === 'string' ? methodOf(value, name) : undefined;
    return present(found, () => new Undefined(`the value has no attribute ${str(name!)}`, '', 0));
  }),
  sort: structural(
    'reverse? case_sensitive? attribute?',
    (value, [reverse = false, caseSensitive = false, attribute]) => {
      const key = sortKey(attribute, truth(caseSensitive));
      const keyed = iterate(value).map((item) => ({ item, key: key(item) }));
      const direction = truth(reverse) ? -1 : 1;
      keyed.sort((a, b) => direction * compare(a.key, b.key));
      return own(keyed.map(({ item }) => item));
    },
  ),
  unique: structural('case_sensitive? attribute?', (value, [caseSensitive = false, attribute]) => {
    const get = attribute === undefined || attribute === null ? identity : getter(attribute);
    const fold = truth(caseSensitive) ? identity : ignoreCase;
    return own(uniqueBy(iterate(value), (item) => fold(get(item))));
  }),
  min: structural('case_sensitive? attribute?', (value, [caseSensitive = false, attribute]) =>
    extreme(value, caseSensitive, attribute, -1),
  ),
  max: structural('case_sensitive? attribute?', (value, [caseSensitive = false, attribute]) =>
    extreme(value, caseSensitive, attribute, 1),
  ),
  sum: structural('attribute? start?', (value, [attribute, start = 0]) => {
    const get = attribute === undefined || attribute === null ? identity : getter(attribute);
    return iterate(value).reduce((total: Data, item) => arithmetic('+', total, get(item)), start);
  }),
  groupby: structural(
    'attribute default? case_sensitive?',
    (value, [attribute, fallback, caseSensitive = false]) => {
      const get = getter(attribute!, fallback);
      const fold = truth(caseSensitive) ? identity : ignoreCase;
      const keyed = iterate(value).map((item) => ({ item, name: get(item) }));
      keyed.sort((a, b) => compare(fold(a.name), fold(b.name)));
      const groups: { name: Data; items: Data[] }[] = [];
      for (const { item, name } of keyed) {
        const last = groups.at(-1);
        if (last && equal(fold(last.name), fold(name))) last.items.push(item);
        else groups.push({ name, items: [item] });
      }
      return own(groups.map(({ name, items }) => Group.pair(name, own(items))));
    },
  ),
  first: structural('', (value) =>
    present(iterate(value)[0], () => new Undefined('no first item, the sequence was empty', '', 0)),
  ),
  last: structural('', (value) =>
    present(iterate(value).at(-1), () => new Undefined('no last item, the sequence was empty', '', 0)),
  ),
  join: filter('d? attribute?', (value, [separator = '', attribute]) => {
    const get = attribute === undefined || attribute === null ? identity : getter(attribute);
    return iterate(value)
      .map((item) => str(defined(get(item))))
      .join(str(separator));
  }),
};

function identity(value: Data): Data {
  return value;
}

function ignoreCase(value: Data): Data {
  return typeof value === 'string' ? value.toLowerCase() : value;
}

/** Reads `a.b.0` from items; what is missing is the fallback or Undefined. */
export function getter(attribute: Data, fallback?: Data): (item: Data) => Data {
  // As in Jinja, no attribute is the item itself.
  if (attribute === null) return identity;
  const path: readonly Data[] =
    typeof attribute === 'string'
      ? attribute.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part))
      : [attribute];
  return (item) => {
    let value: Data = item;
    for (const part of path) {
      if (value instanceof Undefined) break;
      const item = itemOf(value, part);
      value = item === undefined ? absent(value, attribute) : item;
    }
    return value instanceof Undefined && fallback !== undefined && fallback !== null ? fallback : value;
  };
}

function absent(value: Data, attribute: Data): Undefined {
  const name = str(attribute);
  // To name all that a host has, only because it lacks one thing, would cost more than the rest of the expression.
  const keys =
    isMapping(value) && !(value instanceof LazyDict)
      ? `, only ${[...value.keys()].slice(0, 12).map(str).join(', ')}`
      : '';
  return new Undefined(`an item has no attribute '${name}'${keys}`, name, 0);
}

interface Choice {
  readonly wanted: boolean;
  readonly byAttribute: boolean;
}

function choose(
  value: Data,
  rest: readonly Data[],
  keywords: ReadonlyMap<string, Data>,
  call: CallContext,
  choice: Choice,
): Data {
  if (!truth(value)) return own([]);
  const items = iterate(value);
  const args = [...rest];
  let get = identity;
  if (choice.byAttribute) {
    const attribute = args.shift();
    if (attribute === undefined) throw typeFault('the name of an attribute is missing');
    get = getter(attribute);
  }
  const [name, ...positional] = args;
  if (name !== undefined && typeof name !== 'string') throw typeFault('the name of a test must be a string');
  const holds = (item: Data): boolean =>
    name === undefined ? truth(get(item)) : call.test(name, get(item), { positional, keyword: keywords });
  return own(items.filter((item) => holds(item) === choice.wanted));
}

/** A key to sort by; several attributes may be given with commas between. */
function sortKey(attribute: Data | undefined, caseSensitive: boolean): (item: Data) => Data {
  const fold = caseSensitive ? identity : ignoreCase;
  if (attribute === undefined || attribute === null) return fold;
  if (typeof attribute !== 'string') return (item) => fold(getter(attribute)(item));
  const getters = attribute.split(',').map((one) => getter(one));
  return (item) => own(getters.map((get) => fold(get(item))));
}

function extreme(value: Data, caseSensitive: Data, attribute: Data | undefined, direction: 1 | -1): Data {
  const fold = truth(caseSensitive) ? identity : ignoreCase;
  const get = attribute === undefined || attribute === null ? identity : getter(attribute);
  let best: { item: Data; key: Data } | undefined;
  for (const item of iterate(value)) {
    const key = fold(get(item));
    if (!best || direction * compare(key, best.key, direction > 0 ? '>' : '<') > 0) best = { item, key };
  }
  return best ? best.item : new Undefined('no aggregated item, sequence was empty', '', 0);
}

/** Items without those whose key was there before. */
export function uniqueBy(items: readonly Data[], key: (item: Data) => Data): Data[] {
  const seenText = new Set<string>();
  const seen: Data[] = [];
  return items.filter((item) => {
    const one = key(item);
    if (typeof one === 'string') {
      if (seenText.has(one)) return false;
      seenText.add(one);
      return true;
    }
    if (seen.some((other) => equal(other, one))) return false;
    seen.push(one);
    return true;
  });
}
