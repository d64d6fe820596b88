import { Float } from '../../lib/value.ts';
import { itemOf, iterate, lengthOf } from '../python/access.ts';
import { compare, dictGet, dictSet, equal, numeric, truth } from '../python/compare.ts';
import {
  isMapping,
  present,
  isSequence,
  own,
  Tuple,
  typeFault,
  typeName,
  Undefined,
  type Data,
  type DataDict,
} from '../python/objects.ts';
import { repr, str } from '../python/text.ts';
import { structural, filter, type Filters } from './define.ts';

/** Filters that build lists and dictionaries. */
export const collectionFilters: Filters = {
  list: structural('', (value) => own([...iterate(value)])),
  length: filter('', (value) => lengthOf(value)),
  count: filter('', (value) => lengthOf(value)),
  reverse: structural('', (value) =>
    typeof value === 'string' ? [...value].reverse().join('') : own([...iterate(value)].reverse()),
  ),
  batch: structural('linecount fill_with?', (value, [size, fill]) =>
    own(batch(iterate(value), size === null ? Number.POSITIVE_INFINITY : whole(size!), fill)),
  ),
  slice: structural('slices fill_with?', (value, [slices, fill]) =>
    own(sliceUp(iterate(value), whole(slices!), fill)),
  ),
  items: structural('', (value) =>
    own(entries(value, 'items').map(([key, item]) => Tuple.containing([key, item]))),
  ),
  dictsort: structural(
    'case_sensitive? by? reverse?',
    (value, [caseSensitive = false, by, reverse = false]) => {
      if (by !== undefined && by !== 'key' && by !== 'value')
        throw typeFault('You can only sort by either "key" or "value"');
      const index = by === 'value' ? 1 : 0;
      const fold = (one: Data): Data =>
        typeof one === 'string' && !truth(caseSensitive) ? one.toLowerCase() : one;
      const direction = truth(reverse) ? -1 : 1;
      const pairs = entries(value, 'dictsort').map(([key, item]) => Tuple.containing([key, item]));
      pairs.sort((a, b) => direction * compare(fold(a[index]!), fold(b[index]!)));
      return own(pairs);
    },
  ),
  dict2items: structural('key_name? value_name?', (value, [keyName = 'key', valueName = 'value']) =>
    own(
      entries(value, 'dict2items').map(([key, item]) =>
        own(
          new Map<Data, Data>([
            [keyName, key],
            [valueName, item],
          ]),
        ),
      ),
    ),
  ),
  items2dict: structural('key_name? value_name?', (value, [keyName = 'key', valueName = 'value']) => {
    if (!isSequence(value)) throw typeFault(`items2dict requires a list, got ${typeName(value)} instead`);
    const dict = new Map<Data, Data>();
    for (const item of value) {
      const key = isMapping(item) ? dictGet(item, keyName) : undefined;
      const one = isMapping(item) ? dictGet(item, valueName) : undefined;
      if (key === undefined || one === undefined) {
        throw typeFault(
          `items2dict requires dictionaries with the keys '${str(keyName)}' and '${str(valueName)}'`,
        );
      }
      dictSet(dict, key, one);
    }
    return own(dict);
  }),
  combine: structural('*dicts **kwargs', (value, _values, _call, { rest, keywords }) => {
    for (const key of keywords.keys()) {
      if (key !== 'recursive' && key !== 'list_merge')
        throw typeFault("'recursive' and 'list_merge' are the only valid keyword arguments");
    }
    const dicts = flatten([value, ...rest], 1, true);
    const [first, ...others] = dicts;
    if (first === undefined) return own(new Map());
    const recursive = truth(keywords.get('recursive') ?? false);
    const lists = str(keywords.get('list_merge') ?? 'replace');
    return others.reduce<Data>((low, high) => merge(low, high, recursive, lists), first);
  }),
  flatten: structural('levels? skip_nulls?', (value, [levels, skipNulls = true]) =>
    own(
      flatten(
        iterate(value),
        levels === undefined || levels === null ? undefined : whole(levels),
        truth(skipNulls),
      ),
    ),
  ),
  zip: structural('*others', (value, _values, _call, { rest }) => {
    const lists = [value, ...rest].map(iterate);
    const length = Math.min(...lists.map((one) => one.length));
    return own(Array.from({ length }, (_, index) => Tuple.containing(lists.map((one) => one[index]!))));
  }),
  zip_longest: structural('*others **kwargs', (value, _values, _call, { rest, keywords }) => {
    const lists = [value, ...rest].map(iterate);
    const length = Math.max(...lists.map((one) => one.length));
    const fill = keywords.get('fillvalue') ?? null;
    return own(
      Array.from({ length }, (_, index) =>
        Tuple.containing(lists.map((one) => (index < one.length ? one[index]! : fill))),
      ),
    );
  }),
  product: structural('*others **kwargs', (value, _values, _call, { rest, keywords }) => {
    const times = whole(keywords.get('repeat') ?? 1);
    const lists = Array.from({ length: times }, () => [value, ...rest].map(iterate)).flat();
    let rows: Data[][] = [[]];
    for (const list of lists) rows = rows.flatMap((row) => list.map((item) => [...row, item]));
    return own(rows.map((row) => Tuple.containing(row)));
  }),
  combinations: structural('r', (value, [size]) =>
    own(combinations(iterate(value), whole(size!)).map((one) => Tuple.containing(one))),
  ),
  permutations: structural('r?', (value, [size]) => {
    const items = iterate(value);
    const length = size === undefined || size === null ? items.length : whole(size);
    return own(permutations(items, length).map((one) => Tuple.containing(one)));
  }),
  extract: structural('container morekeys?', (value, [container, more]) => {
    const keys =
      more === undefined || more === null ? [value] : [value, ...(isSequence(more) ? more : [more])];
    let current: Data = container!;
    for (const key of keys) {
      if (current instanceof Undefined) return current;
      const container: Data = current;
      current = present(
        itemOf(container, key),
        () => new Undefined(`extract: there is no ${repr(key)} in the ${typeName(container)}`, str(key), 0),
      );
    }
    return current;
  }),
  subelements: structural('subelements skip_missing?', (value, [path, skipMissing = false]) =>
    own(subelements(value, path!, truth(skipMissing))),
  ),
  rekey_on_member: structural('key duplicates?', (value, [key, duplicates = 'error']) => {
    const dict = new Map<Data, Data>();
    for (const item of isMapping(value) ? [...value.values()] : iterate(value)) {
      if (!isMapping(item)) throw typeFault('List item is not a valid dict');
      const name = dictGet(item, key!);
      if (name === undefined) throw typeFault(`Key ${str(key!)} was not found`);
      const taken = dictGet(dict, name) !== undefined;
      if (duplicates !== 'error' && duplicates !== 'overwrite')
        throw typeFault(`duplicates: expected error or overwrite, got ${repr(duplicates)}`);
      if (taken && duplicates === 'error')
        throw typeFault(`Key ${str(name)} is not unique, cannot correctly turn into dict`);
      dictSet(dict, name, item);
    }
    return own(dict);
  }),
};

function whole(value: Data): number {
  const number = value instanceof Float ? undefined : numeric(value);
  if (number === undefined) throw typeFault(`expected an integer, got ${typeName(value)}`);
  return Number(number);
}

function entries(value: Data, what: string): readonly (readonly [Data, Data])[] {
  if (isMapping(value)) return [...value];
  throw typeFault(`${what} requires a dictionary, got ${typeName(value)} instead`);
}

function batch(items: readonly Data[], size: number, fill: Data | undefined): Data[] {
  if (size < 1) throw typeFault('batch needs a size of at least 1');
  const rows: Data[] = [];
  for (let at = 0; at < items.length; at += size) {
    const row = items.slice(at, at + size);
    if (fill !== undefined && fill !== null && Number.isFinite(size))
      row.push(...Array.from({ length: size - row.length }, () => fill));
    rows.push(own(row));
  }
  return rows;
}

function sliceUp(items: readonly Data[], count: number, fill: Data | undefined): Data[] {
  if (count < 1) throw typeFault('slice needs at least one slice');
  const each = Math.floor(items.length / count);
  const longer = items.length % count;
  let offset = 0;
  return Array.from({ length: count }, (_, number) => {
    const start = offset + number * each;
    if (number < longer) offset++;
    const row = items.slice(start, offset + (number + 1) * each);
    if (fill !== undefined && fill !== null && number >= longer) row.push(fill);
    return own(row);
  });
}

/** Ansible's `flatten`: null items are left out unless asked for. */
export function flatten(items: readonly Data[], levels: number | undefined, skipNulls: boolean): Data[] {
  const result: Data[] = [];
  for (const item of items) {
    if (skipNulls && (item === null || item === 'None' || item === 'null')) continue;
    if (isSequence(item) && (levels === undefined || levels >= 1)) {
      result.push(...flatten(item, levels === undefined ? undefined : levels - 1, skipNulls));
    } else result.push(item);
  }
  return result;
}

const LIST_MERGES = ['replace', 'keep', 'append', 'prepend', 'append_rp', 'prepend_rp'];

/** Ansible's `merge_hash`: `high` wins. */
function merge(low: Data, high: Data, recursive: boolean, lists: string): Data {
  if (!LIST_MERGES.includes(lists))
    throw typeFault(`combine: list_merge must be one of ${LIST_MERGES.join(', ')}`);
  if (!isMapping(low) || !isMapping(high)) {
    const wrong = isMapping(low) ? high : low;
    if (wrong instanceof Undefined) throw wrong.fault();
    throw typeFault(`combine needs dictionaries, got ${typeName(wrong)}`);
  }
  if (low.size === 0 || equalDicts(low, high)) return high;
  const result = new Map<Data, Data>(low);
  for (const [key, value] of high) {
    const old = dictGet(result, key);
    if (old === undefined) dictSet(result, key, value);
    else if (recursive && isMapping(old) && isMapping(value))
      dictSet(result, key, merge(old, value, true, lists));
    else if (isSequence(old) && isSequence(value)) dictSet(result, key, mergeLists(old, value, lists));
    else dictSet(result, key, value);
  }
  return own(result);
}

function equalDicts(a: DataDict, b: DataDict): boolean {
  return a.size === b.size && equal(a, b);
}

function mergeLists(low: readonly Data[], high: readonly Data[], how: string): Data {
  switch (how) {
    case 'keep':
      return low;
    case 'append':
      return own([...low, ...high]);
    case 'prepend':
      return own([...high, ...low]);
    case 'append_rp':
      return own([...low.filter((one) => !high.some((other) => equal(one, other))), ...high]);
    case 'prepend_rp':
      return own([...high, ...low.filter((one) => !high.some((other) => equal(one, other)))]);
    default:
      return high;
  }
}

function combinations(items: readonly Data[], size: number): Data[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, index) =>
    combinations(items.slice(index + 1), size - 1).map((rest) => [item, ...rest]),
  );
}

function permutations(items: readonly Data[], size: number): Data[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, index) =>
    permutations([...items.slice(0, index), ...items.slice(index + 1)], size - 1).map((rest) => [
      item,
      ...rest,
    ]),
  );
}

function subelements(value: Data, path: Data, skipMissing: boolean): Data[] {
  const elements = isMapping(value) ? [...value.values()] : isSequence(value) ? value : undefined;
  if (!elements) throw typeFault('subelements needs a list of dictionaries or a nested dictionary');
  const keys: readonly Data[] = typeof path === 'string' ? path.split('.') : iterate(path);
  const result: Data[] = [];
  for (const element of elements) {
    let values: Data = element;
    for (const key of keys) {
      if (!isMapping(values))
        throw typeFault(`the key ${str(key)} should point to a dictionary, got '${str(values)}'`);
      const found: Data | undefined = dictGet(values, key);
      if (found === undefined && !skipMissing)
        throw typeFault(`could not find ${repr(key)} key in iterated item ${repr(values)}`);
      values = found === undefined ? [] : found;
      if (found === undefined) break;
    }
    if (!isSequence(values))
      throw typeFault(`the key ${repr(keys.at(-1) ?? null)} should point to a list, got ${repr(values)}`);
    for (const one of values) result.push(Tuple.containing([element, one]));
  }
  return result;
}
