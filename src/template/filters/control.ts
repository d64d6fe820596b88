import { createHash } from 'node:crypto';

import { Float } from '../../lib/value.ts';
import { iterate } from '../python/access.ts';
import { equal, numeric, truth } from '../python/compare.ts';
import { isSequence, own, typeFault, typeName, Undefined, type Data } from '../python/objects.ts';
import { str } from '../python/text.ts';
import { filter, structural, type Filters } from './define.ts';
import { Fault } from '../error.ts';

/** Filters about presence, truth and chance. */
export const controlFilters: Filters = {
  default: structural(
    'default_value? boolean?',
    (value, [fallback = '', boolean = false]) => orDefault(value, fallback, boolean),
    { acceptsUndefined: true },
  ),
  d: structural(
    'default_value? boolean?',
    (value, [fallback = '', boolean = false]) => orDefault(value, fallback, boolean),
    { acceptsUndefined: true },
  ),
  mandatory: structural(
    'msg?',
    (value, [message]) => {
      if (!(value instanceof Undefined)) return value;
      if (message === undefined || message === null) throw value.fault();
      throw new Fault('undefined', str(message), { variable: value.variable });
    },
    { acceptsUndefined: true },
  ),
  ternary: structural(
    'true_val false_val none_val?',
    (value, [yes, no, none]) => {
      if (value === null && none !== undefined && none !== null) return none;
      return truth(value) ? yes! : no!;
    },
    { acceptsUndefinedArguments: true },
  ),
  bool: filter('', (value) => toBool(value)),
  type_debug: filter('', (value) => typeName(value), { acceptsUndefined: true }),
  random: structural('start? step? seed?', (value, [start, step, seed]) => random(value, start, step, seed)),
  shuffle: structural('seed?', (value, [seed]) => {
    if (seed !== undefined && seed !== null)
      throw typeFault("shuffle with a seed is not supported: it would need Python's own generator");
    const items = [...iterate(value)];
    for (let index = items.length - 1; index > 0; index--) {
      const other = Math.floor(Math.random() * (index + 1));
      [items[index], items[other]] = [items[other]!, items[index]!];
    }
    return own(items);
  }),
};

function orDefault(value: Data, fallback: Data, boolean: Data): Data {
  if (value instanceof Undefined) return fallback;
  return truth(boolean) && !truth(value) ? fallback : value;
}

const TRUE_TEXTS = ['yes', 'on', '1', 'true', 't', 'y'];

function toBool(value: Data): Data {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return ['yes', 'on', '1', 'true'].includes(value.toLowerCase());
  return equal(value, 1);
}

/** Ansible's `boolean()`: a text that means a truth value, or undefined for any other. */
export function booleanOf(value: Data): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase().trim() : numeric(value)?.toString();
  if (text === undefined) return undefined;
  if (TRUE_TEXTS.includes(text)) return true;
  return ['no', 'n', 'f', 'false', 'off', '0'].includes(text) ? false : undefined;
}

function random(value: Data, start: Data | undefined, step: Data | undefined, seed: Data | undefined): Data {
  if (seed !== undefined && seed !== null) return seededRandom(value, start, step, seed);
  return pick(value, start, step, (count) => Math.floor(Math.random() * count));
}

/** The same choice for the same seed in every run; which one it is differs from Python's. */
function seededRandom(value: Data, start: Data | undefined, step: Data | undefined, seed: Data): Data {
  const digest = createHash('sha256').update(str(seed)).digest();
  return pick(value, start, step, (count) => Number(digest.readBigUInt64BE() % BigInt(count)));
}

function pick(
  value: Data,
  start: Data | undefined,
  step: Data | undefined,
  choose: (count: number) => number,
): Data {
  if (isSequence(value) || typeof value === 'string') {
    if (truth(start ?? null) || truth(step ?? null))
      throw typeFault('start and step can only be used with integer values');
    const items = iterate(value);
    if (items.length === 0) throw typeFault('random cannot choose from an empty sequence');
    return items[choose(items.length)]!;
  }
  const end = value instanceof Float ? undefined : numeric(value);
  if (end === undefined) throw typeFault('random can only be used on sequences and integers');
  const from = Number(numeric(start ?? 0) ?? 0);
  const by = Number(numeric(step ?? 1) ?? 1) || 1;
  const count = Math.ceil((Number(end) - from) / by);
  if (count <= 0) throw typeFault('empty range for random');
  return from + by * choose(count);
}
