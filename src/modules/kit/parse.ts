import type { z } from 'zod';

import type { AnyModule } from './module.ts';
import { isText } from './arguments.ts';
import { similarWords } from '../../lib/similar.ts';
import { Float, isDict, isList, type Dict, type Value } from '../../lib/value.ts';

/**
 * Arguments as modules read them. Numbers that JavaScript has no equal for become the text that Python has for them, so
 * that `1.0` is not written as `1`; dictionaries within are left as they are.
 */
export function argumentValues(args: Dict): Record<string, unknown> {
  return Object.fromEntries([...args].map(([name, value]) => [String(name), argumentValue(value)]));
}

function argumentValue(value: Value): unknown {
  if (value instanceof Float || typeof value === 'bigint') return String(value);
  return isList(value) && !value.some((item) => isList(item) || isDict(item))
    ? value.map(argumentValue)
    : value;
}

type Schema = Pick<AnyModule, 'name' | 'args' | 'aliases'>;

/** The arguments are of the module's own type, which only the module knows: hand them to its `facts` and `plan`. */
export type ParsedArguments<Args = never> =
  | { readonly args: Args }
  | { readonly problems: readonly string[] };

/** Checks the arguments of a task against its module: aliases, types, defaults and rules. */
export function parseArguments(module: Schema, plain: Readonly<Record<string, unknown>>): ParsedArguments {
  const { values, problems } = resolveAliases(module, plain);
  const parsed = module.args.safeParse(values);
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap((issue) => sentences(module, issue)));
  return parsed.success && problems.length === 0
    ? { args: parsed.data as never }
    : { problems: [...new Set(problems)] };
}

/**
 * What is wrong with arguments that are not rendered yet. Those whose values only the run will tell are `open`: they
 * must have a name that the module knows, and nothing that depends on them is judged.
 */
export function problemsBeforeRun(
  module: Schema,
  plain: Readonly<Record<string, unknown>>,
  open: ReadonlySet<string>,
): readonly string[] {
  const canonical = new Map(
    Object.entries(module.aliases ?? {}).flatMap(([name, spellings]) => spellings.map((one) => [one, name])),
  );
  const openNames = new Set([...open].map((name) => canonical.get(name) ?? name));
  const { values, problems } = resolveAliases(module, plain);
  const known = new Set(argumentNames(module));
  for (const name of openNames) if (known.has(name)) delete values[name];
  const issues = module.args.safeParse(values).error?.issues ?? [];
  const certain = issues.filter((issue) =>
    issue.path.length === 0
      ? issue.code === 'unrecognized_keys' || openNames.size === 0
      : !openNames.has(String(issue.path[0])),
  );
  return [
    ...new Set([
      ...(openNames.size === 0 ? problems : []),
      ...certain.flatMap((issue) => sentences(module, issue)),
    ]),
  ];
}

interface Step {
  readonly def: { readonly type: string };
}

/** The names that a module's arguments have, without aliases. */
export function argumentNames(module: { readonly args: unknown }): string[] {
  return Object.keys(shapeOf(module));
}

function shapeOf(module: { readonly args: unknown }): Readonly<Record<string, unknown>> {
  let schema: unknown = module.args;
  for (;;) {
    const { shape, def } = schema as {
      shape?: Readonly<Record<string, unknown>>;
      def?: { in?: Step; out?: unknown };
    };
    if (shape) return shape;
    if (!def?.in) return {};
    // What comes first may be a function over the raw arguments, as with free text.
    schema = def.in.def.type === 'transform' ? def.out : def.in;
  }
}

const spellings = new WeakMap<Schema, ReadonlyMap<string, string>>();

/** The names that other spellings stand for. */
function spellingsOf(module: Schema): ReadonlyMap<string, string> {
  let known = spellings.get(module);
  if (!known) {
    known = new Map(
      Object.entries(module.aliases ?? {}).flatMap(([name, others]) =>
        others.map((other): [string, string] => [other, name]),
      ),
    );
    spellings.set(module, known);
  }
  return known;
}

function resolveAliases(module: Schema, plain: Readonly<Record<string, unknown>>) {
  const values: Record<string, unknown> = { ...plain };
  const problems: string[] = [];
  const names = spellingsOf(module);
  for (const spelling of Object.keys(plain)) {
    const name = names.get(spelling);
    if (name === undefined) continue;
    delete values[spelling];
    if (name in values && JSON.stringify(values[name]) !== JSON.stringify(plain[spelling])) {
      problems.push(`${spelling}: means the same as ${name}, which is given too; remove one of them`);
    } else {
      values[name] = plain[spelling];
    }
  }
  return { values: withoutEmpty(module, values), problems };
}

/**
 * An argument without a value (`owner:`) is not given, as in Ansible; only where words are to choose from, null is none.
 * Nor is empty text where it could mean nothing else (`creates: ''`): roles fill in what they do not need with it.
 */
function withoutEmpty(module: Schema, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (!Object.values(values).some((value) => value === null || value === '')) return { ...values };
  const shape = shapeOf(module);
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) => {
      const schema = shape[name];
      if (value === null) return isChoice(schema) || !(name in shape);
      return value !== '' || !isText(schema) || !isOptional(schema) || accepts(schema, '');
    }),
  );
}

function accepts(schema: unknown, value: unknown): boolean {
  return (schema as z.ZodType).safeParse(value).success;
}

function isOptional(schema: unknown): boolean {
  return accepts(schema, undefined);
}

function isChoice(schema: unknown): boolean {
  const { def } = (schema ?? {}) as { def?: { type?: string; innerType?: unknown } };
  return def?.type === 'enum' || (def?.innerType !== undefined && isChoice(def.innerType));
}

function sentences(module: Schema, issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys' && issue.path.length === 0) {
    const known = [...argumentNames(module), ...Object.values(module.aliases ?? {}).flat()];
    return issue.keys.map((key) => {
      const [meant] = similarWords(key, known);
      return `${key}: ${module.name} has no such argument${meant ? `; did you mean ${meant}?` : ''}`;
    });
  }
  const [first, ...rest] = issue.path;
  if (first === undefined) return [issue.message];
  const where = rest.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return [`${String(first)}${where}: ${issue.message}`];
}
