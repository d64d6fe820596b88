import { typeFault, type CallArguments, type Data } from './objects.ts';

/** A function's parameters: names, how many are required, and whether it takes any number of further ones. */
export interface Signature {
  readonly names: readonly string[];
  readonly required: number;
  readonly rest: boolean;
  readonly keywordRest: boolean;
}

/** Arguments sorted to a signature's parameters; undefined where none was given. */
export interface BoundArguments {
  readonly values: readonly (Data | undefined)[];
  readonly rest: readonly Data[];
  readonly keywords: ReadonlyMap<string, Data>;
}

/** Reads a signature such as `old new count? *args **kwargs`. */
export function signature(text: string): Signature {
  const words = text.split(' ').filter((word) => word !== '');
  const names = words.filter((word) => !word.startsWith('*'));
  return {
    names: names.map((name) => name.replace('?', '')),
    required: names.filter((name) => !name.endsWith('?')).length,
    rest: words.some((word) => /^\*[^*]/.test(word)),
    keywordRest: words.some((word) => word.startsWith('**')),
  };
}

/** Sorts a call's arguments to a function's parameters as Python does. */
export function bind(target: Signature, what: string, args: CallArguments): BoundArguments {
  const wrong = checkArguments(target, args.positional.length, [...args.keyword.keys()]);
  if (wrong !== undefined) throw typeFault(`${what} ${wrong}`);
  const values: (Data | undefined)[] = args.positional.slice(0, target.names.length);
  while (values.length < target.names.length) values.push(undefined);
  let keywords: ReadonlyMap<string, Data> = args.keyword;
  if (args.keyword.size > 0) {
    const unbound = new Map<string, Data>();
    for (const [name, value] of args.keyword) {
      const index = target.names.indexOf(name);
      if (index < 0) unbound.set(name, value);
      else values[index] = value;
    }
    keywords = unbound;
  }
  return { values, rest: args.positional.slice(target.names.length), keywords };
}

/** What is wrong with the number or names of arguments, or undefined. */
export function checkArguments(
  target: Signature,
  positional: number,
  keywords: readonly string[],
): string | undefined {
  if (positional > target.names.length && !target.rest) {
    const most = target.names.length;
    return `takes at most ${most} argument${most === 1 ? '' : 's'}, ${positional} are given`;
  }
  for (const name of keywords) {
    const index = target.names.indexOf(name);
    if (index < 0 && !target.keywordRest) return `has no argument "${name}"`;
    if (index >= 0 && index < positional) return `is given the argument "${name}" twice`;
  }
  for (let index = positional; index < target.required; index++) {
    const name = target.names[index]!;
    if (!keywords.includes(name)) return `needs the argument "${name}"`;
  }
  return undefined;
}
