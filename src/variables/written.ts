import type { SourceLocation } from '../lib/errors.ts';
import { LazyDict } from '../lib/lazy-dict.ts';
import { isDict, isList, type Dict, type Value } from '../lib/value.ts';
import type { TemplateEnvironment, VariableSource } from '../template/environment.ts';
import { isTemplate, renderString } from '../template/render.ts';

/** What a written value is rendered with. */
export interface Surroundings {
  readonly variables: VariableSource;
  readonly environment: TemplateEnvironment;
  readonly at: SourceLocation | undefined;
}

/**
 * A written value whose templates are rendered when they are looked at: an entry that cannot be rendered yet does
 * not keep its neighbours from being used, as in Ansible.
 */
export function renderLazily(value: Value, from: Surroundings): Value {
  if (typeof value === 'string') return renderText(value, from);
  if (!holdsTemplate(value)) return value;
  if (isList(value)) return lazyList(value, from);
  return new WrittenDict(value as Dict, from);
}

/** Renders every string in a value at once; keys too, as Ansible does. What was left for later is done now. */
export function renderFully(value: Value, from: Surroundings): Value {
  return settle(renderLazily(value, from));
}

/** A value of which nothing is left to be rendered. Dictionaries that only the engine has (hostvars) stay as they are. */
export function settle(value: Value): Value {
  if (isList(value)) {
    const items = value.map(settle);
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  if (value instanceof WrittenDict) return new Map([...value].map(([key, item]) => [key, settle(item)]));
  if (isDict(value) && !(value instanceof LazyDict)) {
    let same = true;
    const items = new Map<Value, Value>();
    for (const [key, item] of value) {
      const settled = settle(item);
      same &&= settled === item;
      items.set(key, settled);
    }
    return same ? value : items;
  }
  return value;
}

function renderText(text: string, { variables, environment, at }: Surroundings): Value {
  return isTemplate(text) ? renderString(text, variables, environment, at) : text;
}

const templated = new WeakMap<object, boolean>();

function holdsTemplate(value: Value): boolean {
  if (typeof value === 'string') return isTemplate(value);
  if (value === null || typeof value !== 'object' || value instanceof LazyDict) return false;
  let known = templated.get(value);
  if (known === undefined) {
    if (isList(value)) known = value.some(holdsTemplate);
    else if (isDict(value))
      known = [...value].some(([key, item]) => holdsTemplate(key) || holdsTemplate(item));
    else known = false;
    templated.set(value, known);
  }
  return known;
}

/** An array whose elements are rendered at the first look. */
function lazyList(values: readonly Value[], from: Surroundings): readonly Value[] {
  const list: Value[] = [];
  values.forEach((raw, index) => {
    if (!holdsTemplate(raw)) {
      list[index] = raw;
      return;
    }
    Object.defineProperty(list, index, {
      configurable: true,
      enumerable: true,
      get() {
        const value = renderLazily(raw, from);
        Object.defineProperty(list, index, { value, configurable: true, enumerable: true, writable: true });
        return value;
      },
    });
  });
  return list;
}

/** A dictionary whose values are rendered at the first look. */
class WrittenDict extends LazyDict {
  readonly #raw: Map<Value, Value>;
  readonly #rendered = new Map<Value, Value>();
  readonly #from: Surroundings;

  constructor(raw: Dict, from: Surroundings) {
    super(
      () => [],
      () => undefined,
    );
    this.#from = from;
    this.#raw = new Map(
      [...raw].map(([key, item]) => [typeof key === 'string' ? renderText(key, from) : key, item]),
    );
  }

  override known(): Iterable<Value> {
    return this.#rendered.values();
  }

  override get(key: Value): Value | undefined {
    const done = this.#rendered.get(key);
    if (done !== undefined) return done;
    const raw = this.#raw.get(key);
    if (raw === undefined) return undefined;
    const value = renderLazily(raw, this.#from);
    this.#rendered.set(key, value);
    return value;
  }

  override has(key: Value): boolean {
    return this.#raw.has(key);
  }

  override get size(): number {
    return this.#raw.size;
  }

  override *keys(): MapIterator<Value> {
    yield* this.#raw.keys();
  }

  override *entries(): MapIterator<[Value, Value]> {
    for (const key of this.#raw.keys()) yield [key, this.get(key) ?? null];
  }
}
