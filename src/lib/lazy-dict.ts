import type { Value } from './value.ts';

/**
 * A dictionary whose keys are known and whose values are worked out when they are asked for (`hostvars`, `vars`).
 * It is a Map, so that everything which takes a `Dict` takes it.
 */
export class LazyDict extends Map<Value, Value> {
  readonly #keys: () => Iterable<string>;
  readonly #lookUp: (key: string) => Value | undefined;
  readonly #has: (key: string) => boolean;

  /** `has` says whether there is a key, where that is known without looking through all of them. */
  constructor(
    keys: () => Iterable<string>,
    lookUp: (key: string) => Value | undefined,
    has: (key: string) => boolean = (key) => some(keys(), key),
  ) {
    super();
    this.#keys = keys;
    this.#lookUp = lookUp;
    this.#has = has;
  }

  override get(key: Value): Value | undefined {
    return typeof key === 'string' ? this.#lookUp(key) : undefined;
  }

  /** The values that were worked out already and are kept, if any are. */
  known(): Iterable<Value> {
    return [];
  }

  override has(key: Value): boolean {
    return typeof key === 'string' && this.#has(key);
  }

  override get size(): number {
    return [...this.#keys()].length;
  }

  override *keys(): MapIterator<Value> {
    yield* this.#keys();
  }

  override *values(): MapIterator<Value> {
    for (const [, value] of this.entries()) yield value;
  }

  override *entries(): MapIterator<[Value, Value]> {
    for (const key of this.#keys()) yield [key, this.#lookUp(key) ?? null];
  }

  override [Symbol.iterator](): MapIterator<[Value, Value]> {
    return this.entries();
  }

  override forEach(each: (value: Value, key: Value, map: Map<Value, Value>) => void): void {
    for (const [key, value] of this.entries()) each(value, key, this);
  }
}

function some(keys: Iterable<string>, wanted: string): boolean {
  for (const key of keys) if (key === wanted) return true;
  return false;
}
