import { equal } from './python/compare.ts';
import {
  NativeFunction,
  present,
  PythonObject,
  Tuple,
  typeFault,
  Undefined,
  type CallArguments,
  type Data,
} from './python/objects.ts';

/** The `loop` variable. */
export class Loop extends PythonObject {
  readonly typeName = 'LoopContext';
  index0 = 0;
  readonly #items: readonly Data[];
  readonly #depth: number;
  readonly #again: ((children: Data) => Data) | undefined;
  #last: Data | undefined;

  constructor(items: readonly Data[], depth: number, again: ((children: Data) => Data) | undefined) {
    super();
    this.#items = items;
    this.#depth = depth;
    this.#again = again;
  }

  override call({ positional: [children] }: CallArguments): Data {
    if (!this.#again) throw typeFault("the loop must have the 'recursive' marker to be called");
    if (children === undefined) throw typeFault('loop() needs what to loop over');
    return this.#again(children);
  }

  override attribute(name: string): Data | undefined {
    const { length } = this.#items;
    const { index0 } = this;
    switch (name) {
      case 'index':
        return index0 + 1;
      case 'index0':
        return index0;
      case 'revindex':
        return length - index0;
      case 'revindex0':
        return length - index0 - 1;
      case 'first':
        return index0 === 0;
      case 'last':
        return index0 === length - 1;
      case 'length':
        return length;
      case 'depth':
        return this.#depth + 1;
      case 'depth0':
        return this.#depth;
      case 'previtem':
        return present(
          this.#items[index0 - 1],
          () => new Undefined('there is no previous item', 'loop.previtem', 0),
        );
      case 'nextitem':
        return present(
          this.#items[index0 + 1],
          () => new Undefined('there is no next item', 'loop.nextitem', 0),
        );
      case 'cycle':
        return new NativeFunction(({ positional }) => {
          if (positional.length === 0) throw typeFault('no items for cycling given');
          return positional[index0 % positional.length]!;
        });
      case 'changed':
        return new NativeFunction(({ positional }) => {
          const now = Tuple.containing(positional);
          if (this.#last !== undefined && equal(this.#last, now)) return false;
          this.#last = now;
          return true;
        });
      default:
        return undefined;
    }
  }
}
