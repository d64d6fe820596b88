import { Float, isDict, isList } from '../../lib/value.ts';
import { Fault, type TemplateError, type TemplateText } from '../error.ts';

/** Whatever an expression may yield while a template runs. */
export type Data =
  | null
  | boolean
  | number
  | bigint
  | Float
  | string
  | readonly Data[]
  | ReadonlyMap<Data, Data>
  | Undefined
  | PythonObject;

export type DataDict = ReadonlyMap<Data, Data>;

/** A value that is missing: harmless until something needs it. */
export class Undefined {
  readonly message: string;
  readonly variable: string;
  readonly offset: number;
  readonly text: TemplateText | undefined;
  /** Why the variable has no value, if its own template is what misses something. */
  readonly cause: TemplateError | Fault | undefined;
  /** What an inline `if` without `else` gives: within a text it is nothing. */
  readonly isBlank: boolean = false;

  constructor(
    message: string,
    variable: string,
    offset: number,
    text?: TemplateText,
    cause?: TemplateError | Fault,
  ) {
    this.message = message;
    this.variable = variable;
    this.offset = offset;
    this.text = text;
    this.cause = cause;
  }

  /** What using the value is answered with. */
  fault(): Fault | TemplateError {
    if (this.cause) return this.cause;
    const { offset, text, variable } = this;
    // Without a text, the place is that of the operation which needs the value.
    return new Fault('undefined', this.message, text ? { offset, text, variable } : { variable });
  }
}

/** What an inline `if` without `else` gives when its condition does not hold. */
export class Blank extends Undefined {
  override readonly isBlank = true;
}

/** What a filter, test or call gave that failed: no error as long as nobody uses it. */
export class Failed extends Undefined {
  constructor(fault: Fault) {
    super(fault.message, '', fault.offset ?? 0, fault.text, fault);
  }
}

/** The value, or what stands for its absence: None is a value. */
export function present(value: Data | undefined, absence: () => Data): Data {
  return value === undefined ? absence() : value;
}

/** A Python `tuple`: a list that prints in parentheses. */
export class Tuple extends Array<Data> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  static containing(items: Iterable<Data>): Tuple {
    const tuple = new Tuple();
    for (const item of items) tuple.push(item);
    return tuple;
  }
}

/** What `groupby` yields: a pair with names for its parts. */
export class Group extends Tuple {
  static pair(grouper: Data, list: Data): Group {
    const group = new Group();
    group.push(grouper, list);
    return group;
  }
}

/** A Python `range`. */
export class RangeList extends Array<Data> {
  description = '';

  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/** Arguments of a call, as given. */
export interface CallArguments {
  readonly positional: readonly Data[];
  readonly keyword: ReadonlyMap<string, Data>;
}

/** A value with behaviour: a macro, a namespace, a date, the `loop` of a for loop. */
export abstract class PythonObject {
  abstract readonly typeName: string;

  /** An attribute, or undefined if there is none. */
  attribute(_name: string): Data | undefined {
    return undefined;
  }

  call(_args: CallArguments): Data {
    throw new Fault('runtime', `'${this.typeName}' object is not callable`);
  }

  /** As Python's `str` prints it, or undefined if that would be of no use in a text. */
  text(): string | undefined {
    return undefined;
  }

  /** As a comparable number, for values that have an order. */
  order(): number | undefined {
    return undefined;
  }
}

/** A function of the engine's own. */
export class NativeFunction extends PythonObject {
  readonly typeName = 'function';
  /** What it is a method of. */
  readonly self: Data;
  readonly #run: (args: CallArguments) => Data;

  constructor(run: (args: CallArguments) => Data, self: Data = null) {
    super();
    this.#run = run;
    this.self = self;
  }

  override call(args: CallArguments): Data {
    return this.#run(args);
  }
}

/** Jinja's `namespace()`: attributes that survive a loop's scope. */
export class Namespace extends PythonObject {
  readonly typeName = 'namespace';
  readonly attributes = new Map<string, Data>();

  override attribute(name: string): Data | undefined {
    return this.attributes.get(name);
  }
}

/** A list or dictionary which the template itself made, so that it may change it. */
const owned = new WeakSet<object>();

/** Marks a container as the template's own. */
export function own<Container extends object>(container: Container): Container {
  owned.add(container);
  return container;
}

export function isOwn(container: object): boolean {
  return owned.has(container);
}

/** Python's name of a value's type. */
export function typeName(value: Data): string {
  if (value === null) return 'NoneType';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'number':
    case 'bigint':
      return 'int';
    case 'string':
      return 'str';
    default:
      if (value instanceof Float) return 'float';
      if (value instanceof Tuple) return 'tuple';
      if (value instanceof RangeList) return 'range';
      if (isList(value)) return 'list';
      if (isDict(value)) return 'dict';
      if (value instanceof PythonObject) return value.typeName;
      return 'Undefined';
  }
}

/** The value itself, if it is defined. */
export function defined(value: Data): Exclude<Data, Undefined> {
  if (value instanceof Undefined) throw value.fault();
  return value;
}

export function isSequence(value: unknown): value is readonly Data[] {
  return Array.isArray(value);
}

export function isMapping(value: unknown): value is DataDict {
  return value instanceof Map;
}

/** Python's TypeError. */
export function typeFault(message: string): Fault {
  return new Fault('runtime', message);
}
