import type { TemplateEnvironment } from '../environment.ts';
import { signature, type BoundArguments, type Signature } from '../python/bind.ts';
import type { CallArguments, Data } from '../python/objects.ts';

/** What filters and tests may use beside their arguments. */
export interface CallContext {
  readonly environment: TemplateEnvironment;
  /** Whether there is a filter or test of a name. */
  knows(kind: 'filter' | 'test', name: string): boolean;
  filter(name: string, value: Data, args: CallArguments): Data;
  test(name: string, value: Data, args: CallArguments): boolean;
}

export interface Definition<Result extends Data> {
  readonly signature: Signature;
  /** Whether it deals with missing values itself; others hand them on. */
  readonly acceptsUndefined: boolean;
  /** Whether an argument may be missing that is not needed. */
  readonly acceptsUndefinedArguments: boolean;
  /** Whether its result holds only pieces of its input as they were, so that secrets in it are known already. */
  readonly structural: boolean;
  run(value: Data, args: BoundArguments, call: CallContext): Result;
}

export type Filter = Definition<Data>;
export type Test = Definition<boolean>;
export type Filters = Readonly<Record<string, Filter>>;
export type Tests = Readonly<Record<string, Test>>;

interface Options {
  readonly acceptsUndefined?: boolean;
  readonly acceptsUndefinedArguments?: boolean;
  readonly structural?: boolean;
}

type Values = readonly (Data | undefined)[];
type Run<Result> = (value: Data, args: Values, call: CallContext, bound: BoundArguments) => Result;

/** A filter with parameters such as `old new count? *args **kwargs`. */
export function filter(parameters: string, run: Run<Data>, options: Options = {}): Filter {
  return define(parameters, run, options);
}

/** A filter whose result consists of pieces of its input. */
export function structural(
  parameters: string,
  run: Run<Data>,
  options: Omit<Options, 'structural'> = {},
): Filter {
  return define(parameters, run, { ...options, structural: true });
}

export function test(parameters: string, run: Run<boolean>, options: Omit<Options, 'structural'> = {}): Test {
  return define(parameters, run, options);
}

function define<Result extends Data>(
  parameters: string,
  run: Run<Result>,
  options: Options,
): Definition<Result> {
  return {
    signature: signature(parameters),
    acceptsUndefined: options.acceptsUndefined ?? false,
    acceptsUndefinedArguments: options.acceptsUndefinedArguments ?? false,
    structural: options.structural ?? false,
    run: (value, bound, call) => run(value, bound.values, call, bound),
  };
}
