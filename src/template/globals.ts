import type { Value } from '../lib/value.ts';
import { Fault } from './error.ts';
import { iterate, range } from './python/access.ts';
import { bind, signature } from './python/bind.ts';
import { dictSet, truth } from './python/compare.ts';
import { datetime } from './python/datetime.ts';
import {
  isMapping,
  isSequence,
  Namespace,
  NativeFunction,
  own,
  PythonObject,
  typeFault,
  Undefined,
  type CallArguments,
  type Data,
} from './python/objects.ts';
import { finalize, type Frame } from './runtime.ts';

type GlobalFunction = (args: CallArguments, frame: Frame) => Data;

const NOW = signature('utc? fmt?');

const functions: Readonly<Record<string, GlobalFunction>> = {
  range: ({ positional }) => range(positional),
  dict: ({ positional, keyword }) => own(dictionary(positional, keyword)),
  namespace: ({ positional, keyword }) => {
    const namespace = new Namespace();
    for (const [key, value] of dictionary(positional, keyword)) namespace.attributes.set(String(key), value);
    return namespace;
  },
  lookup: (args, frame) => lookup(args, frame, false),
  query: (args, frame) => lookup(args, frame, true),
  q: (args, frame) => lookup(args, frame, true),
  now: (args, frame) => {
    const [utc, format] = bind(NOW, 'now()', args).values;
    const clock = frame.rendering.environment.now ?? ((): Date => new Date());
    const moment = datetime(clock(), utc !== undefined && truth(utc));
    return typeof format === 'string' && format !== '' ? moment.strftime(format) : moment;
  },
  undef: ({ positional, keyword }, frame) => {
    const hint = positional.length > 0 ? positional[0] : keyword.get('hint');
    const message = typeof hint === 'string' ? hint : 'a mandatory variable has not been set';
    return new Undefined(message, '', 0, frame.rendering.text);
  },
  cycler: ({ positional }) => new Cycler(positional),
  joiner: ({ positional, keyword }) => {
    let used = false;
    const [separator = ', '] = [...positional, keyword.get('sep')];
    return new NativeFunction(() => {
      const result = used ? separator : '';
      used = true;
      return result;
    });
  },
};

/** Whether the engine itself has a function of this name. */
export function isGlobal(name: string): boolean {
  return Object.hasOwn(functions, name);
}

/** A function of the engine's own. */
export function globalFunction(name: string, frame: Frame): NativeFunction {
  const run = functions[name]!;
  return new NativeFunction((args) => run(args, frame));
}

function dictionary(positional: readonly Data[], keyword: ReadonlyMap<string, Data>): Map<Data, Data> {
  const dict = new Map<Data, Data>();
  if (positional.length > 1) throw typeFault('dict expected at most 1 argument');
  for (const given of positional) {
    if (isMapping(given)) for (const [key, value] of given) dict.set(key, value);
    else {
      for (const pair of iterate(given)) {
        const items = iterate(pair);
        if (items.length !== 2) throw typeFault('dict() needs pairs of a key and a value');
        dictSet(dict, items[0]!, items[1]!);
      }
    }
  }
  for (const [key, value] of keyword) dict.set(key, value);
  return dict;
}

function lookup(args: CallArguments, frame: Frame, asList: boolean): Data {
  const [name, ...terms] = args.positional;
  if (typeof name !== 'string') throw typeFault('the first argument of lookup() is the name of a lookup');
  const { environment } = frame.rendering;
  if (!environment.lookup) throw typeFault('lookups cannot be used here');
  const options = new Map<string, Value>();
  for (const [key, value] of args.keyword) options.set(key, finalize(value));
  const wantsList = asList || (options.has('wantlist') && truth(options.get('wantlist')!));
  const errors = options.get('errors');
  options.delete('wantlist');
  options.delete('errors');
  let found: Value;
  try {
    found = environment.lookup(
      name.replace(/^ansible\.(?:builtin|legacy)\./, ''),
      terms.map(finalize),
      options,
    );
  } catch (error) {
    if (errors !== 'ignore' && errors !== 'warn') throw asFault(error, name);
    return wantsList ? [] : null;
  }
  if (wantsList || !isSequence(found) || found.length === 0) return found;
  if (found.length === 1) return found[0]!;
  return found.every((one) => typeof one === 'string') ? found.join(',') : found;
}

/** A lookup's own complaint, at the place of the call; anything else is passed on as it is. */
function asFault(error: unknown, name: string): unknown {
  if (!(error instanceof Error) || error.name !== 'UserError') return error;
  return new Fault(
    'runtime',
    error.message.startsWith('lookup') ? error.message : `lookup ${name}: ${error.message}`,
  );
}

class Cycler extends PythonObject {
  readonly typeName = 'Cycler';
  readonly #items: readonly Data[];
  #position = 0;

  constructor(items: readonly Data[]) {
    super();
    if (items.length === 0) throw typeFault('at least one item has to be provided');
    this.#items = items;
  }

  override attribute(name: string): Data | undefined {
    if (name === 'current') return this.#items[this.#position]!;
    if (name === 'next') {
      return new NativeFunction(() => {
        const item = this.#items[this.#position]!;
        this.#position = (this.#position + 1) % this.#items.length;
        return item;
      });
    }
    if (name !== 'reset') return undefined;
    return new NativeFunction(() => {
      this.#position = 0;
      return null;
    });
  }
}

/** The names of the engine's own functions. */
export const GLOBAL_NAMES: readonly string[] = Object.keys(functions);
