import type { Expression, Statement } from './ast.ts';
import { ExpressionCompiler } from './compile-expression.ts';
import { StatementCompiler } from './compile-statement.ts';
import { Fault } from './error.ts';
import { GLOBAL_NAMES } from './globals.ts';
import { DEFAULT_SYNTAX, type Syntax } from './lexer.ts';
import { parseExpression, parseTemplate } from './parse.ts';
import { freeNames, namesIn } from './references.ts';
import type { Compiled, Evaluate } from './runtime.ts';
import { overriddenSyntax } from './syntax.ts';

/** What a source text is: a string from YAML, a bare expression, or a template file. */
export type SourceKind = 'string' | 'expression' | 'template';

/** Several mistakes found while compiling. */
export class FaultList extends Error {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map((fault) => fault.message).join('\n'));
    this.faults = faults;
  }
}

/** Enough for every task and template of a large playbook; oldest are forgotten first. */
const MOST_COMPILED = 20_000;

const templates = new Map<string, Compiled>();
const expressions = new Map<string, Evaluate>();
const syntaxKeys = new WeakMap<Syntax, string>();

/** A template as a closure. `body` is the source without its header. */
export function compileTemplate(source: string, body: string, syntax: Syntax): Compiled {
  let prefix = syntaxKeys.get(syntax);
  if (prefix === undefined) syntaxKeys.set(syntax, (prefix = JSON.stringify(Object.values(syntax))));
  return cached(templates, prefix + source, () => {
    const compiler = new StatementCompiler();
    const compiled = compiler.template(parseTemplate(body, syntax, source.length - body.length));
    if (compiler.expressions.faults.length > 0) throw new FaultList(compiler.expressions.faults);
    return compiled;
  });
}

/** An expression as a closure. */
export function compileExpression(source: string): Evaluate {
  return cached(expressions, source, () => {
    const compiler = new ExpressionCompiler();
    const evaluate = compiler.expression(parseExpression(source, DEFAULT_SYNTAX));
    if (compiler.faults.length > 0) throw new FaultList(compiler.faults);
    return evaluate;
  });
}

/** What is wrong with a text, without evaluating it. */
export function checkSource(source: string, kind: SourceKind): readonly Fault[] {
  try {
    if (kind === 'expression') compileExpression(source);
    else {
      const { syntax, body } = overriddenSyntax(source, syntaxFor(kind));
      compileTemplate(source, body, syntax);
    }
    return [];
  } catch (error) {
    if (error instanceof FaultList) return error.faults;
    if (error instanceof Fault) return [error];
    throw error;
  }
}

/** The names of variables that a text reads. */
export function namesReadBy(source: string, kind: SourceKind): ReadonlySet<string> {
  const names = kind === 'expression' ? namesIn(parsed(source)) : freeNames(parsedTemplate(source, kind));
  for (const name of ['loop', 'caller', 'varargs', 'kwargs', 'self', 'super', ...GLOBAL_NAMES])
    names.delete(name);
  return names;
}

function parsed(source: string): Expression {
  return parseExpression(source, DEFAULT_SYNTAX);
}

function parsedTemplate(source: string, kind: 'string' | 'template'): readonly Statement[] {
  const { syntax, body } = overriddenSyntax(source, syntaxFor(kind));
  return parseTemplate(body, syntax);
}

const STRING_SYNTAX: Syntax = { ...DEFAULT_SYNTAX, escapesInVariables: false };

function syntaxFor(kind: 'string' | 'template'): Syntax {
  return kind === 'string' ? STRING_SYNTAX : DEFAULT_SYNTAX;
}

function cached<Compiled>(cache: Map<string, Compiled>, key: string, compile: () => Compiled): Compiled {
  const known = cache.get(key);
  if (known) return known;
  const compiled = compile();
  if (cache.size >= MOST_COMPILED) for (const oldest of cache.keys()) if (cache.delete(oldest)) break;
  cache.set(key, compiled);
  return compiled;
}
