import type { Problem } from '../lib/errors.ts';
import type { Value } from '../lib/value.ts';
import {
  checkSource,
  compileExpression,
  compileTemplate,
  FaultList,
  namesReadBy,
  type SourceKind,
} from './compile.ts';
import type { TemplateEnvironment, TemplateOptions, TemplateOrigin, VariableSource } from './environment.ts';
import { Fault, problemOf, TemplateError, type TemplateText } from './error.ts';
import { MissingTemplate } from './compile-statement.ts';
import { truth } from './python/compare.ts';
import { Undefined, type Data } from './python/objects.ts';
import { runTemplate, Self } from './inheritance.ts';
import {
  type Compiled,
  concatenate,
  finalize,
  type Frame,
  Inheritance,
  partText,
  type Rendering,
} from './runtime.ts';
import { DEFAULT_SYNTAX } from './lexer.ts';
import { overriddenSyntax, syntaxOf } from './syntax.ts';

const YAML_SYNTAX = { ...DEFAULT_SYNTAX, escapesInVariables: false };

/** Whether a string holds template markup at all. */
export function isTemplate(source: string): boolean {
  return (
    source.includes('{{') || source.includes('{%') || source.includes('{#') || source.startsWith('#jinja2:')
  );
}

/** Python's truth of a value. */
export function isTruthy(value: Value): boolean {
  return truth(value);
}

/** Ansible's templating of a string found in YAML: a lone `{{ expression }}` gives its native value, anything else a string. */
export function renderString(
  source: string,
  variables: VariableSource,
  environment: TemplateEnvironment,
  origin?: TemplateOrigin,
): Value {
  if (!isTemplate(source)) return source;
  const text: TemplateText = { source, origin, isFile: false };
  return reported(text, () => {
    const { syntax, body } = overriddenSyntax(source, YAML_SYNTAX);
    const compiled = compileTemplate(source, body, syntax);
    const parts: Data[] = [];
    runTemplate(compiled, rootFrame(text, variables, environment), parts);
    const result = finalize(joined(parts, environment));
    return typeof result === 'string' ? withNewlinesOf(source, result) : result;
  });
}

/** Evaluates a bare expression (`when:`, `until:`). */
export function evaluate(
  expression: string,
  variables: VariableSource,
  environment: TemplateEnvironment,
  origin?: TemplateOrigin,
): Value {
  const text: TemplateText = { source: expression, origin, isFile: false };
  return reported(text, () =>
    finalize(compileExpression(expression)(rootFrame(text, variables, environment))),
  );
}

/** Renders a template file's text. */
export function renderTemplate(
  source: string,
  variables: VariableSource,
  environment: TemplateEnvironment,
  options: TemplateOptions = {},
): string {
  const text: TemplateText = { source, origin: options.origin, isFile: true };
  return reported(text, () => {
    const { syntax, body, newlineSequence } = overriddenSyntax(source, syntaxOf(options));
    const compiled = compileTemplate(source, body, syntax);
    const parts: Data[] = [];
    runTemplate(compiled, rootFrame(text, variables, environment), parts);
    const result = partText(finalize(joined(parts, environment)));
    const newline = newlineSequence ?? options.newlineSequence ?? '\n';
    const complete = withNewlinesOf(source, result);
    return newline === '\n' ? complete : complete.replaceAll('\n', newline);
  });
}

/** The names of the variables that a template or expression reads, without evaluating it. */
export function references(source: string, kind: SourceKind): ReadonlySet<string> {
  return reported({ source, origin: undefined, isFile: kind === 'template' }, () =>
    namesReadBy(source, kind),
  );
}

/** Everything that is wrong with a template and can be told without evaluating it. */
export function check(source: string, kind: SourceKind, origin?: TemplateOrigin): Problem[] {
  const text: TemplateText = { source, origin, isFile: kind === 'template' };
  return checkSource(source, kind).map((fault) => problemOf(fault, text));
}

function rootFrame(text: TemplateText, variables: VariableSource, environment: TemplateEnvironment): Frame {
  return frameOf({ text, variables, environment, base: text.origin?.file }, undefined);
}

/** The frame of a template's top level, within the one that includes it if it sees that one's names. */
function frameOf(
  { base, ...about }: Pick<Rendering, 'text' | 'variables' | 'environment'> & { base: string | undefined },
  parent: Frame | undefined,
): Frame {
  const rendering: Rendering = {
    ...about,
    inheritance: new Inheritance(),
    get root() {
      return frame;
    },
    include: (name, from, withContext) => include(name, from, withContext, base),
    load: (name) => load(name, about.environment, base),
  };
  const frame: Frame = { names: new Map(), parent, rendering };
  frame.names.set('self', new Self(frame));
  return frame;
}

/** Another template, compiled; `base` is the file that is rendered, beside which it may stand. */
function load(
  name: string,
  environment: TemplateEnvironment,
  base: string | undefined,
): { readonly compiled: Compiled; readonly text: TemplateText } {
  if (!environment.loadTemplate) throw new Fault('runtime', 'other templates cannot be included here');
  let loaded: { source: string; file: string };
  try {
    loaded = environment.loadTemplate(name, base);
  } catch (error) {
    if (error instanceof Error && error.name === 'UserError') throw new MissingTemplate(error.message);
    throw error;
  }
  const origin = { file: loaded.file, line: 1, column: 1 };
  const text: TemplateText = { source: loaded.source, origin, isFile: true };
  return reported(text, () => ({
    compiled: compileTemplate(loaded.source, loaded.source, DEFAULT_SYNTAX),
    text,
  }));
}

const NO_VARIABLES: VariableSource = { get: () => undefined, names: () => [] };

/** Runs another template's text with the variables, and with the names of the including one if it gets its context. */
function include(
  name: string,
  frame: Frame,
  withContext: boolean,
  base: string | undefined,
): { parts: Data[]; exported: Frame } {
  const { environment, variables } = frame.rendering;
  const { compiled, text } = load(name, environment, base);
  return reported(text, () => {
    const exported = frameOf(
      { text, variables: withContext ? variables : NO_VARIABLES, environment, base },
      withContext ? frame : undefined,
    );
    const parts: Data[] = [];
    runTemplate(compiled, exported, parts);
    return { parts, exported };
  });
}

/** The parts' value. */
function joined(parts: readonly Data[], environment: TemplateEnvironment): Data {
  const result = concatenate(parts, environment.secrets);
  if (result instanceof Undefined) throw result.fault();
  return result;
}

/** Templates lose a line break at the end; Ansible puts back those that the source had. */
function withNewlinesOf(source: string, result: string): string {
  const missing = trailingNewlines(source) - trailingNewlines(result);
  return missing > 0 ? result + '\n'.repeat(missing) : result;
}

function trailingNewlines(text: string): number {
  let count = 0;
  while (text[text.length - 1 - count] === '\n') count++;
  return count;
}

/** Turns faults into errors with a place in the file. */
function reported<Result>(text: TemplateText, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof Fault) {
      const options =
        error.variable === undefined ? { cause: error } : { cause: error, variable: error.variable };
      throw new TemplateError(error.kind, problemOf(error, text), options);
    }
    if (error instanceof FaultList) {
      throw new TemplateError(
        'syntax',
        error.faults.map((fault) => problemOf(fault, text)),
      );
    }
    if (error instanceof RangeError && error.message.includes('call stack')) {
      throw new TemplateError(
        'runtime',
        problemOf(new Fault('runtime', 'the template refers to itself without end'), text),
      );
    }
    throw error;
  }
}
