import { readdirSync, readFileSync } from 'node:fs';

import { SecretRegistry } from '../../src/lib/secret.ts';
import { Float, fromPlain, isDict, isList, type Value } from '../../src/lib/value.ts';
import type { TemplateEnvironment, TemplateOptions, VariableSource } from '../../src/template/environment.ts';
import { TemplateError } from '../../src/template/error.ts';
import { evaluate, renderString, renderTemplate } from '../../src/template/render.ts';
import { UserError } from '../../src/lib/errors.ts';

/** A template and what it must give. */
export interface Case {
  readonly template: string;
  readonly kind?: 'string' | 'expression' | 'template';
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly options?: TemplateOptions;
  readonly includes?: Readonly<Record<string, string>>;
  readonly expect?: unknown;
  readonly error?: 'undefined' | 'other';
  /** What the message of the error says, for cases that the oracle does not know. */
  readonly message?: string;
  readonly oracle?: false | 'before 2.19' | '2.19';
}

export interface CaseFile {
  readonly name: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly cases: readonly Case[];
}

const directory = new URL('cases/', import.meta.url);

export function caseFiles(): CaseFile[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({ name: name.replace('.json', ''), ...JSON.parse(readBig(name)) }) as CaseFile);
}

/** Whole numbers too long for JSON.parse are kept as texts that `plainVariables` turns back. */
function readBig(name: string): string {
  return readFileSync(new URL(name, directory), 'utf8').replaceAll(
    /(?<=[[:,] ?)(\d{16,})(?=[,\]}])/g,
    '"int $1"',
  );
}

export function sourceOf(variables: Readonly<Record<string, unknown>>): VariableSource {
  const values = new Map(Object.entries(variables).map(([name, value]) => [name, bigs(fromPlain(value))]));
  return { get: (name) => values.get(name), names: () => values.keys() };
}

function bigs(value: Value): Value {
  return typeof value === 'string' && /^int \d{16,}$/.test(value) ? BigInt(value.slice(4)) : value;
}

export function environmentOf(one: Pick<Case, 'includes'>): TemplateEnvironment {
  return {
    secrets: new SecretRegistry(),
    loadTemplate(name) {
      const source = one.includes?.[name];
      if (source === undefined) throw new UserError(`there is no template "${name}"`);
      return { source, file: name };
    },
  };
}

/** What the engine makes of a case, in the cases' notation. */
export function outcomeOf(
  one: Case,
  shared: Readonly<Record<string, unknown>>,
): { expect: unknown } | { error: string; message: string } {
  try {
    return { expect: noted(run(one, sourceOf({ ...shared, ...one.variables }))) };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { error: error.kind === 'undefined' ? 'undefined' : 'other', message: error.message };
  }
}

function run(one: Case, variables: VariableSource): Value {
  const origin = { file: 'case', line: 1, column: 1 };
  const environment = environmentOf(one);
  switch (one.kind ?? 'string') {
    case 'string':
      return renderString(one.template, variables, environment, origin);
    case 'expression':
      return evaluate(one.template, variables, environment, origin);
    case 'template':
      return renderTemplate(one.template, variables, environment, { origin, ...one.options });
  }
}

/** A value as the case files tell it: a float is {"float": text}, a dictionary {"dict": pairs}. */
function noted(value: Value): unknown {
  if (value instanceof Float) return { float: floatText(value.value) };
  if (typeof value === 'bigint') return `int ${value}`;
  if (isDict(value)) return { dict: [...value].map(([key, item]) => [noted(key), noted(item)]) };
  if (isList(value)) return value.map(noted);
  return value;
}

function floatText(value: number): string {
  const text = renderString('{{ x | string }}', sourceOf({ x: new Float(value) }), {
    secrets: new SecretRegistry(),
  });
  return String(text);
}
