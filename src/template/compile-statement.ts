import type { Parameter, Statement, Target } from './ast.ts';
import { blockFilter, ExpressionCompiler } from './compile-expression.ts';
import { Fault } from './error.ts';
import { blockHere, topLevel } from './inheritance.ts';
import { Loop } from './loop.ts';
import { contents, Macro, TemplateModule, type MacroDescription } from './macro.ts';
import { iterate } from './python/access.ts';
import { truth } from './python/compare.ts';
import { Namespace, present, typeFault, Undefined, type Data } from './python/objects.ts';
import { freeNames } from './references.ts';
import {
  type Block,
  BREAK,
  callValue,
  type Compiled,
  concatenate,
  CONTINUE,
  innerFrame,
  NORMAL,
  placed,
  type Ending,
  type Evaluate,
  type Execute,
  type Frame,
} from './runtime.ts';

/** Turns statements into closures. */
export class StatementCompiler {
  readonly expressions = new ExpressionCompiler();
  readonly #blocks: Block[] = [];

  template(statements: readonly Statement[]): Compiled {
    return { execute: topLevel(statements.map((one) => this.#statement(one))), blocks: this.#blocks };
  }

  body(statements: readonly Statement[]): Execute {
    const steps = statements.map((one) => this.#statement(one));
    if (steps.length === 1) return steps[0]!;
    return (frame, out) => {
      for (const step of steps) {
        const ending = step(frame, out);
        if (ending !== NORMAL) return ending;
      }
      return NORMAL;
    };
  }

  #statement(node: Statement): Execute {
    switch (node.type) {
      case 'data': {
        const { text } = node;
        return (_frame, out) => {
          out.push(text);
          return NORMAL;
        };
      }
      case 'output': {
        const value = this.expressions.expression(node.value);
        return (frame, out) => {
          const given = value(frame);
          if (given instanceof Undefined && !given.isBlank) throw placed(given.fault(), node.value.at, frame);
          if (given instanceof TemplateModule) out.push(...given.parts);
          else out.push(given);
          return NORMAL;
        };
      }
      case 'if':
        return this.#if(node);
      case 'for':
        return this.#for(node);
      case 'break':
        return () => BREAK;
      case 'continue':
        return () => CONTINUE;
      case 'set': {
        const value = this.expressions.expression(node.value);
        const assign = this.#assign(node.target);
        return simple((frame) => assign(frame, value(frame)));
      }
      case 'set-block': {
        const body = this.body(node.body);
        const assign = this.#assign(node.target);
        const filter = node.filter && blockFilter(this.expressions, node.filter);
        return simple((frame) => {
          const text = contents(body, innerFrame(frame));
          assign(frame, filter ? filter(frame, text) : text);
        });
      }
      case 'with':
        return this.#with(node);
      case 'do': {
        const value = this.expressions.expression(node.value);
        return simple(value);
      }
      case 'filter-block': {
        const body = this.body(node.body);
        const filter = blockFilter(this.expressions, node.filter);
        return (frame, out) => {
          out.push(filter(frame, contents(body, innerFrame(frame))));
          return NORMAL;
        };
      }
      case 'macro': {
        const { name } = node;
        const make = this.#macro(name, node.parameters, node.body);
        return simple((frame) => frame.names.set(name, make(frame)));
      }
      case 'call-block':
        return this.#callBlock(node);
      case 'include':
        return this.#include(node);
      case 'group':
        return this.body(node.body);
      case 'block':
        this.#blocks.push({ ...node, execute: this.body(node.body) });
        return blockHere(node);
      case 'extends': {
        const template = this.expressions.expression(node.template);
        return simple((frame) => extend(frame, template, node));
      }
      case 'import': {
        const template = this.expressions.expression(node.template);
        return simple((frame) => frame.names.set(node.name, importModule(frame, template, node)));
      }
      case 'from-import':
        return this.#fromImport(node);
    }
  }

  #if(node: Extract<Statement, { type: 'if' }>): Execute {
    const branches = node.branches.map(({ condition, body }) => ({
      condition: this.expressions.expression(condition),
      body: this.expressions.perhaps(() => this.body(body)),
    }));
    const otherwise = this.expressions.perhaps(() => this.body(node.otherwise));
    return (frame, out) => {
      for (const { condition, body } of branches) if (truth(condition(frame))) return body(frame, out);
      return otherwise(frame, out);
    };
  }

  #for(node: Extract<Statement, { type: 'for' }>): Execute {
    const iterable = this.expressions.expression(node.iterable);
    const condition = node.condition && this.expressions.expression(node.condition);
    const assign = this.#assign(node.target);
    const body = this.body(node.body);
    const otherwise = this.body(node.otherwise);
    const usesLoop = node.recursive || freeNames(node.body).has('loop');

    const run = (frame: Frame, items: readonly Data[], depth: number, out: Data[]): Ending => {
      let chosen = items;
      if (condition) {
        chosen = items.filter((item) => {
          const inner = innerFrame(frame);
          assign(inner, item);
          return truth(condition(inner));
        });
      }
      if (chosen.length === 0) return otherwise(frame, out);
      const again = (children: Data): Data => {
        const parts: Data[] = [];
        run(frame, iterate(children), depth + 1, parts);
        return concatenate(parts, frame.rendering.environment.secrets);
      };
      const loop = usesLoop ? new Loop(chosen, depth, node.recursive ? again : undefined) : undefined;
      for (let index = 0; index < chosen.length; index++) {
        const inner = innerFrame(frame);
        if (loop) {
          loop.index0 = index;
          inner.names.set('loop', loop);
        }
        assign(inner, chosen[index]!);
        if (body(inner, out) === BREAK) break;
      }
      return NORMAL;
    };
    return (frame, out) => {
      let items: readonly Data[];
      try {
        items = iterate(iterable(frame));
      } catch (error) {
        throw placed(error, node.iterable.at, frame);
      }
      return run(frame, items, 0, out);
    };
  }

  #with(node: Extract<Statement, { type: 'with' }>): Execute {
    const bindings = node.bindings.map(({ target, value }) => ({
      assign: this.#assign(target),
      value: this.expressions.expression(value),
    }));
    const body = this.body(node.body);
    return (frame, out) => {
      const inner = innerFrame(frame);
      // All values are worked out in the outer scope, before any name is bound.
      const values = bindings.map(({ value }) => value(frame));
      for (const [index, { assign }] of bindings.entries()) assign(inner, values[index]!);
      return body(inner, out);
    };
  }

  #macro(
    name: string,
    parameters: readonly Parameter[],
    statements: readonly Statement[],
  ): (frame: Frame, caller?: Data) => Macro {
    const fallbacks = parameters.map(({ fallback }) => fallback && this.expressions.expression(fallback));
    const body = this.body(statements);
    const free = freeNames(statements);
    const description: MacroDescription = {
      name,
      parameters: parameters.map((one) => one.name),
      fallbacks,
      body,
      takesRest: free.has('varargs'),
      takesKeywords: free.has('kwargs'),
      takesCaller: free.has('caller'),
    };
    return (frame) => new Macro(description, frame);
  }

  #callBlock(node: Extract<Statement, { type: 'call-block' }>): Execute {
    const caller = this.#macro('caller', node.parameters, node.body);
    const callee = this.expressions.expression(node.call.callee);
    const args = this.expressions.arguments(node.call.args);
    return (frame, out) => {
      try {
        const given = args(frame);
        const keyword = new Map(given.keyword);
        keyword.set('caller', caller(frame));
        out.push(callValue(callee(frame), { positional: given.positional, keyword }));
      } catch (error) {
        throw placed(error, node.call.at, frame);
      }
      return NORMAL;
    };
  }

  #include(node: Extract<Statement, { type: 'include' }>): Execute {
    const template = this.expressions.expression(node.template);
    return (frame, out) => {
      const names = templateNames(template(frame), node.template.at, frame);
      for (const [index, name] of names.entries()) {
        try {
          out.push(...frame.rendering.include(name, frame, node.withContext).parts);
          return NORMAL;
        } catch (error) {
          const isMissing = error instanceof MissingTemplate;
          if (!isMissing) throw placed(error, node.at, frame);
          if (index === names.length - 1 && !node.ignoreMissing) {
            throw placed(new Fault('runtime', error.message), node.template.at, frame);
          }
        }
      }
      return NORMAL;
    };
  }

  #fromImport(node: Extract<Statement, { type: 'from-import' }>): Execute {
    const template = this.expressions.expression(node.template);
    return simple((frame) => {
      const module = importModule(frame, template, node);
      for (const { name, as } of node.names) {
        const message = `the imported template does not define '${name}'`;
        const value = present(
          module.attribute(name),
          () => new Undefined(message, name, node.at, frame.rendering.text),
        );
        frame.names.set(as, value);
      }
    });
  }

  #assign(target: Target): (frame: Frame, value: Data) => void {
    switch (target.type) {
      case 'name': {
        const { name } = target;
        return (frame, value) => {
          frame.names.set(name, value);
        };
      }
      case 'tuple': {
        const items = target.items.map((item) => this.#assign(item));
        return (frame, value) => {
          try {
            const values = iterate(value);
            if (values.length !== items.length) {
              throw typeFault(`cannot unpack ${values.length} values into ${items.length} names`);
            }
            for (const [index, assign] of items.entries()) assign(frame, values[index]!);
          } catch (error) {
            throw placed(error, target.at, frame);
          }
        };
      }
      case 'namespace': {
        const read = this.expressions.expression({ type: 'name', name: target.name, at: target.at });
        return (frame, value) => {
          const namespace = read(frame);
          if (namespace instanceof Undefined) throw namespace.fault();
          if (!(namespace instanceof Namespace)) {
            throw placed(typeFault('cannot assign attribute on non-namespace object'), target.at, frame);
          }
          namespace.attributes.set(target.attribute, value);
        };
      }
    }
  }
}

function extend(frame: Frame, template: Evaluate, node: Extract<Statement, { type: 'extends' }>): void {
  const { inheritance } = frame.rendering;
  if (inheritance.parent)
    throw placed(new Fault('runtime', 'a template can extend only one other'), node.at, frame);
  const [name = ''] = templateNames(template(frame), node.template.at, frame);
  try {
    inheritance.parent = frame.rendering.load(name);
  } catch (error) {
    throw placed(
      error instanceof MissingTemplate ? new Fault('runtime', error.message) : error,
      node.template.at,
      frame,
    );
  }
}

/** A template to include that does not exist. */
export class MissingTemplate extends Error {}

function simple(run: (frame: Frame) => unknown): Execute {
  return (frame) => {
    run(frame);
    return NORMAL;
  };
}

function templateNames(value: Data, at: number, frame: Frame): readonly string[] {
  if (typeof value === 'string') return [value];
  const names = value instanceof Undefined ? [value] : iterate(value);
  return names.map((name) => {
    if (name instanceof Undefined) throw name.fault();
    if (typeof name !== 'string')
      throw placed(typeFault('the name of a template must be a string'), at, frame);
    return name;
  });
}

function importModule(
  frame: Frame,
  template: Evaluate,
  node: Extract<Statement, { type: 'import' | 'from-import' }>,
): TemplateModule {
  const [name = ''] = templateNames(template(frame), node.template.at, frame);
  try {
    const { parts, exported } = frame.rendering.include(name, frame, node.withContext);
    return new TemplateModule(exported, parts);
  } catch (error) {
    throw placed(
      error instanceof MissingTemplate ? new Fault('runtime', error.message) : error,
      node.template.at,
      frame,
    );
  }
}
