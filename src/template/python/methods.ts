import { iterate } from './access.ts';
import { bind, signature, type BoundArguments } from './bind.ts';
import { dictGet, dictSet, equal } from './compare.ts';
import {
  isMapping,
  isOwn,
  isSequence,
  NativeFunction,
  own,
  present,
  Tuple,
  typeFault,
  typeName,
  type Data,
  type DataDict,
} from './objects.ts';
import { stringMethods, type Method } from './string-methods.ts';
import { repr } from './text.ts';

type Sequence = readonly Data[];

function onList(
  parameters: string,
  run: (self: Sequence, args: readonly (Data | undefined)[]) => Data,
): Method<Sequence> {
  return { signature: signature(parameters), run: (self, bound) => run(self, bound.values) };
}

function onDict(
  parameters: string,
  run: (self: DataDict, args: readonly (Data | undefined)[], bound: BoundArguments) => Data,
): Method<DataDict> {
  return { signature: signature(parameters), run: (self, bound) => run(self, bound.values, bound) };
}

/** A list as one that may be changed. Variables never change: their value would differ from task to task. */
function changeable(self: Sequence, name: string): Data[] {
  if (self instanceof Tuple) throw typeFault(`'tuple' object has no attribute '${name}'`);
  if (isOwn(self)) return self as Data[];
  throw typeFault(
    `${name}() would change a variable's list; only a list made in this template can be changed`,
  );
}

function changeableDict(self: DataDict, name: string): Map<Data, Data> {
  if (isOwn(self)) return self as Map<Data, Data>;
  throw typeFault(`${name}() would change a variable's dictionary; use the combine filter`);
}

/** A place in a list; None is none. */
function position(index: Data): number {
  if (typeof index === 'number') return index;
  throw typeFault(`expected an integer, got '${typeName(index)}'`);
}

const listMethods: Readonly<Record<string, Method<Sequence>>> = {
  index: onList('value', (self, [value]) => {
    const at = self.findIndex((one) => equal(one, value!));
    if (at < 0) throw typeFault(`${repr(value!)} is not in list`);
    return at;
  }),
  count: onList('value', (self, [value]) => self.filter((one) => equal(one, value!)).length),
  copy: onList('', (self) => own([...self])),
  append: onList('object', (self, [item]) => {
    changeable(self, 'append').push(item!);
    return null;
  }),
  extend: onList('iterable', (self, [items]) => {
    changeable(self, 'extend').push(...iterate(items!));
    return null;
  }),
  insert: onList('index object', (self, [index, item]) => {
    changeable(self, 'insert').splice(position(index!), 0, item!);
    return null;
  }),
  pop: onList('index?', (self, [index]) => {
    const [item] = changeable(self, 'pop').splice(index === undefined ? -1 : position(index), 1);
    if (item === undefined) throw typeFault('pop index out of range');
    return item;
  }),
  remove: onList('value', (self, [value]) => {
    const list = changeable(self, 'remove');
    const at = list.findIndex((one) => equal(one, value!));
    if (at < 0) throw typeFault('list.remove(x): x not in list');
    list.splice(at, 1);
    return null;
  }),
  reverse: onList('', (self) => {
    changeable(self, 'reverse').reverse();
    return null;
  }),
};

const dictMethods: Readonly<Record<string, Method<DataDict>>> = {
  items: onDict('', (self) => own([...self].map(([key, value]) => Tuple.containing([key, value])))),
  keys: onDict('', (self) => own([...self.keys()])),
  values: onDict('', (self) => own([...self.values()])),
  get: onDict('key default?', (self, [key, fallback = null]) => present(dictGet(self, key!), () => fallback)),
  copy: onDict('', (self) => own(new Map(self))),
  update: onDict('other? **kwargs', (self, [other], bound) => {
    const dict = changeableDict(self, 'update');
    if (other !== undefined) {
      if (isMapping(other)) for (const [key, value] of other) dictSet(dict, key, value);
      else for (const pair of iterate(other)) dictSet(dict, iterate(pair)[0]!, iterate(pair)[1]!);
    }
    for (const [key, value] of bound.keywords) dict.set(key, value);
    return null;
  }),
  setdefault: onDict('key default?', (self, [key, fallback = null]) => {
    const known = dictGet(self, key!);
    if (known !== undefined) return known;
    dictSet(changeableDict(self, 'setdefault'), key!, fallback);
    return fallback;
  }),
  pop: onDict('key default?', (self, [key, fallback]) => {
    const dict = changeableDict(self, 'pop');
    const known = dictGet(dict, key!);
    if (known !== undefined) dict.delete(key!);
    if (known !== undefined) return known;
    if (fallback !== undefined) return fallback;
    throw typeFault(`the dictionary has no key ${repr(key!)}`);
  }),
};

/** Methods that Python has and this engine does not: they hide keys of the same name all the same. */
const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  str: ['encode', 'translate', 'maketrans', 'isprintable'],
  list: ['sort', 'clear'],
  tuple: [],
  dict: ['clear', 'popitem', 'fromkeys'],
};

/** The names of all methods, to tell a mistyped one. */
export const METHOD_NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(stringMethods),
  ...Object.keys(listMethods),
  ...Object.keys(dictMethods),
  ...Object.values(UNSUPPORTED).flat(),
]);

/** A method of a value bound to it, or undefined if there is none of that name. */
export function methodOf(value: Data, name: string): NativeFunction | undefined {
  if (!METHOD_NAMES.has(name)) return undefined;
  if (typeof value === 'string') return bound(stringMethods, value, name, 'str');
  if (isMapping(value)) return bound(dictMethods, value, name, 'dict');
  if (!isSequence(value)) return undefined;
  if (value instanceof Tuple && name !== 'index' && name !== 'count') return undefined;
  return bound(listMethods, value, name, typeName(value));
}

function bound<Self extends Data>(
  methods: Readonly<Record<string, Method<Self>>>,
  self: Self,
  name: string,
  type: string,
): NativeFunction | undefined {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method)
    return new NativeFunction((args) => method.run(self, bind(method.signature, `${name}()`, args)), self);
  if (!UNSUPPORTED[type]?.includes(name)) return undefined;
  return new NativeFunction(() => {
    throw typeFault(`the method ${name}() of a ${type} is not supported`);
  });
}
