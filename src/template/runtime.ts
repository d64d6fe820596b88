import { LazyDict } from '../lib/lazy-dict.ts';
import type { SecretRegistry } from '../lib/secret.ts';
import type { Value } from '../lib/value.ts';
import type { TemplateEnvironment, VariableSource } from './environment.ts';
import { Fault, TemplateError, type TemplateText } from './error.ts';
import {
  isMapping,
  isSequence,
  PythonObject,
  RangeList,
  Tuple,
  typeName,
  Undefined,
  type CallArguments,
  type Data,
} from './python/objects.ts';
import { str } from './python/text.ts';
import { holdsSecret } from './secrets.ts';

/** A `{% block %}` as it was compiled. */
export interface Block {
  readonly name: string;
  readonly execute: Execute;
  /** Whether it sees the names around it, such as those of a loop. */
  readonly isScoped: boolean;
  readonly isRequired: boolean;
  readonly at: number;
}

/** A template as it was compiled. */
export interface Compiled {
  readonly execute: Execute;
  readonly blocks: readonly Block[];
}

interface Definition extends Block {
  readonly text: TemplateText;
}

/** What one template and those that it extends say about their blocks, the most derived first. */
export class Inheritance {
  readonly #definitions = new Map<string, Definition[]>();
  /** The template that the running one extends. */
  parent: { readonly compiled: Compiled; readonly text: TemplateText } | undefined;

  add(blocks: readonly Block[], text: TemplateText): void {
    for (const block of blocks) {
      const known = this.#definitions.get(block.name) ?? [];
      this.#definitions.set(block.name, [...known, { ...block, text }]);
    }
  }

  of(name: string): readonly Definition[] {
    return this.#definitions.get(name) ?? [];
  }
}

/** What one rendering works with. */
export interface Rendering {
  readonly text: TemplateText;
  readonly variables: VariableSource;
  readonly environment: TemplateEnvironment;
  readonly inheritance: Inheritance;
  /** The frame of the template's top level. */
  readonly root: Frame;
  /** Another template, to be extended. */
  load(name: string): { readonly compiled: Compiled; readonly text: TemplateText };
  /** Renders another template's text; gives its parts and the names it defined. */
  include(name: string, frame: Frame, withContext: boolean): { parts: Data[]; exported: Frame };
}

/** The names that are visible at a place of a template, on top of the variables. */
export interface Frame {
  readonly names: Map<string, Data>;
  readonly parent: Frame | undefined;
  readonly rendering: Rendering;
}

export type Evaluate = (frame: Frame) => Data;

/** How a body ended. */
export const NORMAL = 0;
export const BREAK = 1;
export const CONTINUE = 2;
export type Ending = typeof NORMAL | typeof BREAK | typeof CONTINUE;
export type Execute = (frame: Frame, out: Data[]) => Ending;

/** A frame within another. */
export function innerFrame(parent: Frame): Frame {
  return { names: new Map(), parent, rendering: parent.rendering };
}

/** Gives an error that has no place yet the place of what was being evaluated. */
export function placed(error: unknown, offset: number, frame: Frame): unknown {
  if (error instanceof Fault) {
    if (error.offset === undefined) {
      error.offset = offset;
      error.text = frame.rendering.text;
    }
    return error;
  }
  if (error instanceof RangeError && error.message.includes('call stack')) {
    return new Fault('runtime', 'the template refers to itself without end', {
      offset,
      text: frame.rendering.text,
    });
  }
  return error;
}

/** A variable's value as the template sees it; a missing one is Undefined. */
export function readName(frame: Frame, name: string, offset: number): Data {
  for (let current: Frame | undefined = frame; current; current = current.parent) {
    const value = current.names.get(name);
    if (value !== undefined) return value;
  }
  const { variables, text } = frame.rendering;
  let value: Value | undefined;
  try {
    value = variables.get(name);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const wrapped = whileRendering(error, name);
    if (error.kind !== 'undefined') throw wrapped;
    return new Undefined(wrapped.message, name, offset, text, wrapped);
  }
  // None is a value.
  return value === undefined ? new Undefined(`'${name}' is undefined`, name, offset, text) : value;
}

function whileRendering(error: TemplateError, name: string): TemplateError {
  const problems = error.problems.map((problem) => ({
    ...problem,
    message: `${problem.message} (while rendering '${name}')`,
  }));
  const options =
    error.variable === undefined ? { cause: error } : { cause: error, variable: error.variable };
  return new TemplateError(error.kind, problems, options);
}

/** A template's result as a value that leaves it: no missing value inside, tuples as lists. */
export function finalize(data: Data): Value {
  if (data === null || typeof data !== 'object') return data;
  if (data instanceof Undefined) throw data.fault();
  if (isSequence(data)) {
    if (data instanceof RangeList) throw new Fault('runtime', `a range is not a list: add "| list"`);
    if (!(data instanceof Tuple) && data.every(isFinal)) return data as Value;
    return Array.from(data, finalize);
  }
  if (isMapping(data)) {
    if (data instanceof LazyDict) return data;
    if ([...data].every(([key, value]) => isFinal(key) && isFinal(value))) return data as Value;
    return new Map([...data].map(([key, value]) => [finalize(key), finalize(value)]));
  }
  if (data instanceof PythonObject) {
    const text = data.text();
    if (text !== undefined) return text;
    throw new Fault('runtime', `a ${typeName(data)} cannot be the result of a template`);
  }
  return data;
}

function isFinal(data: Data): boolean {
  return data === null || typeof data !== 'object' || finalize(data) === data;
}

/** The text of one part of a template with several. */
export function partText(part: Data): string {
  if (typeof part === 'string') return part;
  if (part === null || (part instanceof Undefined && part.isBlank)) return '';
  if (typeof part !== 'object') return str(part);
  return str(part instanceof RangeList ? part : finalize(part));
}

/** What parts make: nothing is None, one part is itself, several are a text, secret if a part is. None is no part. */
export function concatenate(all: readonly Data[], secrets: SecretRegistry): Data {
  const parts = all.includes(null) ? all.filter((part) => part !== null) : all;
  if (parts.length === 0) return null;
  if (parts.length === 1) return parts[0]!;
  let text = '';
  for (const part of parts) text += partText(part);
  if (secrets.size > 0 && parts.some((part) => holdsSecret(secrets, part))) secrets.add(text);
  return text;
}

/** Calls whatever can be called. */
export function callValue(callee: Data, args: CallArguments): Data {
  if (callee instanceof PythonObject) return callee.call(args);
  if (callee instanceof Undefined) throw callee.fault();
  throw new Fault('runtime', `'${typeName(callee)}' object is not callable`);
}
