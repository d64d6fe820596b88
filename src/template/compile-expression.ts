import { applyDefinition, applyFilter, contextOf, firstUndefined, secretive } from './apply.ts';
import type { Arguments, ComparisonOperator, Expression } from './ast.ts';
import { Fault } from './error.ts';
import type { Definition } from './filters/define.ts';
import { globalFunction, isGlobal } from './globals.ts';
import { missing, pathOf } from './missing.ts';
import { itemOf, iterate, slice } from './python/access.ts';
import { arithmetic, signed } from './python/arithmetic.ts';
import { checkArguments } from './python/bind.ts';
import { compare, contains, dictSet, equal, truth } from './python/compare.ts';
import { METHOD_NAMES, methodOf } from './python/methods.ts';
import { Macro } from './macro.ts';
import {
  Blank,
  defined,
  Failed,
  present,
  isMapping,
  NativeFunction,
  own,
  Tuple,
  typeFault,
  typeName,
  Undefined,
  type CallArguments,
  type Data,
} from './python/objects.ts';
import { str } from './python/text.ts';
import { findFilter, findTest, similarFilter, similarTest } from './registry.ts';
import { callValue, placed, readName, type Evaluate, type Frame } from './runtime.ts';

type EvaluateArguments = (frame: Frame) => CallArguments;
const NO_KEYWORDS: ReadonlyMap<string, Data> = new Map();
const NO_ARGUMENTS: CallArguments = { positional: [], keyword: NO_KEYWORDS };
/** Filters that take another filter's or test's name. */
const NAME_TAKERS: Readonly<Record<string, { kind: 'filter' | 'test'; argument: number }>> = {
  map: { kind: 'filter', argument: 0 },
  select: { kind: 'test', argument: 0 },
  reject: { kind: 'test', argument: 0 },
  selectattr: { kind: 'test', argument: 1 },
  rejectattr: { kind: 'test', argument: 1 },
};

/** Turns expressions into closures; what can be told to be wrong without values goes to `faults`. */
export class ExpressionCompiler {
  readonly faults: Fault[] = [];
  #isCertain = true;

  /** Compiles what may never be evaluated: there, an unknown filter or test is an error only when it is. */
  perhaps<Result>(compile: () => Result): Result {
    const before = this.#isCertain;
    this.#isCertain = false;
    try {
      return compile();
    } finally {
      this.#isCertain = before;
    }
  }

  /** Keeps a fault for the end; where it may never matter, what to evaluate in the place of the value. */
  #fault(fault: Fault, value: Evaluate): Evaluate {
    if (this.#isCertain) {
      this.faults.push(fault);
      return value;
    }
    return (frame) => {
      const { message, hint, offset = 0 } = fault;
      throw new Fault('runtime', message, { offset, hint, text: frame.rendering.text });
    };
  }

  expression(node: Expression): Evaluate {
    switch (node.type) {
      case 'constant': {
        const { value } = node;
        return () => value;
      }
      case 'name':
        return this.#name(node.name, node.at);
      case 'list': {
        const items = node.items.map((item) => this.expression(item));
        return (frame) => own(items.map((item) => item(frame)));
      }
      case 'tuple': {
        const items = node.items.map((item) => this.expression(item));
        return (frame) => Tuple.containing(items.map((item) => item(frame)));
      }
      case 'dict':
        return this.#dict(node);
      case 'attribute':
        return this.#attribute(node);
      case 'item':
        return this.#item(node);
      case 'slice': {
        const of = this.expression(node.of);
        const [start, stop, step] = [node.start, node.stop, node.step].map(
          (one) => one && this.expression(one),
        );
        return guarded(node.at, (frame) => {
          const value = of(frame);
          return secretive(frame, [value], slice(value, start?.(frame), stop?.(frame), step?.(frame)));
        });
      }
      case 'call':
        return this.#call(node);
      case 'filter':
        return this.#filter(node);
      case 'test':
        return this.#test(node);
      case 'not': {
        const value = this.expression(node.value);
        return (frame) => !truth(value(frame));
      }
      case 'negative':
      case 'positive': {
        const value = this.expression(node.value);
        const negative = node.type === 'negative';
        return guarded(node.at, (frame) => signed(value(frame), negative));
      }
      case 'and': {
        const left = this.expression(node.left);
        const right = this.expression(node.right);
        return (frame) => {
          const value = left(frame);
          return truth(value) ? right(frame) : value;
        };
      }
      case 'or': {
        const left = this.expression(node.left);
        const right = this.expression(node.right);
        return (frame) => {
          const value = left(frame);
          return truth(value) ? value : right(frame);
        };
      }
      case 'binary': {
        const left = this.expression(node.left);
        const right = this.expression(node.right);
        const { operator } = node;
        return guarded(node.at, (frame) => {
          const a = left(frame);
          const b = right(frame);
          const result = arithmetic(operator, a, b);
          return typeof result === 'string' ? secretive(frame, [a, b], result) : result;
        });
      }
      case 'concatenation': {
        const items = node.items.map((item) => this.expression(item));
        return guarded(node.at, (frame) => {
          const values = items.map((item) => item(frame));
          return secretive(frame, values, values.map(str).join(''));
        });
      }
      case 'comparison':
        return this.#comparison(node);
      case 'conditional': {
        const condition = this.expression(node.condition);
        const yes = this.perhaps(() => this.expression(node.yes));
        const no = node.no && this.perhaps(() => this.expression(node.no!));
        return (frame) => {
          if (truth(condition(frame))) return yes(frame);
          if (no) return no(frame);
          const message = 'the condition of the inline if is false, and it has no else';
          return new Blank(message, '', node.at, frame.rendering.text);
        };
      }
    }
  }

  /** Arguments as a closure; without any, the same empty ones each time. */
  arguments(args: Arguments): EvaluateArguments {
    const positional = args.positional.map((one) => this.expression(one));
    const keyword = args.keyword.map(({ name, value }) => ({ name, value: this.expression(value) }));
    const spread = args.spread && this.expression(args.spread);
    const keywordSpread = args.keywordSpread && this.expression(args.keywordSpread);
    if (positional.length === 0 && keyword.length === 0 && !spread && !keywordSpread)
      return () => NO_ARGUMENTS;
    return (frame) => {
      const values = positional.map((one) => one(frame));
      if (spread) values.push(...iterate(spread(frame)));
      if (keyword.length === 0 && !keywordSpread) return { positional: values, keyword: NO_KEYWORDS };
      const named = new Map(keyword.map(({ name, value }) => [name, value(frame)]));
      if (keywordSpread) {
        const more = defined(keywordSpread(frame));
        if (!isMapping(more)) throw typeFault(`argument after ** must be a mapping, not ${typeName(more)}`);
        for (const [key, value] of more) named.set(str(key), value);
      }
      return { positional: values, keyword: named };
    };
  }

  #name(name: string, at: number): Evaluate {
    if (!isGlobal(name)) return (frame) => readName(frame, name, at);
    return (frame) => {
      const value = readName(frame, name, at);
      return value instanceof Undefined ? globalFunction(name, frame) : value;
    };
  }

  #dict(node: Extract<Expression, { type: 'dict' }>): Evaluate {
    const items = node.items.map(([key, value]) => [this.expression(key), this.expression(value)] as const);
    return guarded(node.at, (frame) => {
      const dict = new Map<Data, Data>();
      for (const [key, value] of items) dictSet(dict, key(frame), value(frame));
      return own(dict);
    });
  }

  #attribute(node: Extract<Expression, { type: 'attribute' }>): Evaluate {
    const of = this.expression(node.of);
    const { name, at } = node;
    const path = pathOf(node);
    return (frame) => {
      const value = of(frame);
      if (value instanceof Undefined) return value;
      const method = methodOf(value, name);
      if (method) return method;
      return present(itemOf(value, name), () => missing(value, name, path, at, frame));
    };
  }

  #item(node: Extract<Expression, { type: 'item' }>): Evaluate {
    const of = this.expression(node.of);
    const key = this.expression(node.key);
    const { at } = node;
    const path = pathOf(node);
    return guarded(at, (frame) => {
      const value = of(frame);
      if (value instanceof Undefined) return value;
      const which = key(frame);
      if (which instanceof Undefined) return which;
      const item = itemOf(value, which);
      if (item !== undefined) return typeof value === 'string' ? secretive(frame, [value], item) : item;
      const method = typeof which === 'string' ? methodOf(value, which) : undefined;
      return method ?? missing(value, which, path, at, frame);
    });
  }

  #call(node: Extract<Expression, { type: 'call' }>): Evaluate {
    const { callee } = node;
    if (callee.type === 'attribute' && !METHOD_NAMES.has(callee.name) && callee.of.type === 'constant') {
      this.faults.push(new Fault('syntax', `unknown method "${callee.name}"`, { offset: callee.at }));
    }
    const target = this.expression(callee);
    const args = this.arguments(node.args);
    return guarded(node.at, (frame) => {
      const called = target(frame);
      const given = args(frame);
      const gap = called instanceof Macro ? undefined : firstUndefined(given);
      if (gap && !(called instanceof Undefined)) return gap;
      const result = callValue(called, given);
      if (frame.rendering.environment.secrets.size === 0 || result === null) return result;
      const self = called instanceof NativeFunction ? called.self : null;
      return typeof self === 'string'
        ? secretive(frame, [self, ...given.positional, ...given.keyword.values()], result)
        : result;
    });
  }

  #filter(node: Extract<Expression, { type: 'filter' }>): Evaluate {
    const { at, name } = node;
    const args = this.arguments(node.args);
    const value = node.value ? this.expression(node.value) : undefined;
    if (!value) throw new Error('a filter without a value outside a block');
    const found = findFilter(name);
    if (typeof found === 'string' || !found) {
      return this.#fault(
        new Fault('syntax', found ?? `unknown filter "${name}"`, {
          offset: at,
          hint: found ? undefined : similarFilter(name),
        }),
        value,
      );
    }
    this.#checkUse(`the filter "${name}"`, found, node.args, at);
    this.#checkNamed(name.split('.').at(-1)!, node.args);
    return lenient(at, (frame) => applyFilter(name, found, value(frame), args(frame), frame));
  }

  /** Names of filters and tests given as arguments are known while compiling if they are written out. */
  #checkNamed(name: string, args: Arguments): void {
    const taker = Object.hasOwn(NAME_TAKERS, name) ? NAME_TAKERS[name] : undefined;
    const given = taker && args.positional[taker.argument];
    if (!taker || given?.type !== 'constant' || typeof given.value !== 'string') return;
    const found = taker.kind === 'filter' ? findFilter(given.value) : findTest(given.value);
    if (found && typeof found !== 'string') return;
    const hint = taker.kind === 'filter' ? similarFilter(given.value) : similarTest(given.value);
    const message = found ?? `unknown ${taker.kind} "${given.value}"`;
    this.faults.push(new Fault('syntax', message, { offset: given.at, hint: found ? undefined : hint }));
  }

  #test(node: Extract<Expression, { type: 'test' }>): Evaluate {
    const { at, name } = node;
    const value = this.expression(node.value);
    const args = this.arguments(node.args);
    const found = findTest(name);
    if (typeof found === 'string' || !found) {
      return this.#fault(
        new Fault('syntax', found ?? `unknown test "${name}"`, {
          offset: at,
          hint: found ? undefined : similarTest(name),
        }),
        value,
      );
    }
    this.#checkUse(`the test "${name}"`, found, node.args, at);
    return guarded(at, (frame) =>
      applyDefinition(`the test "${name}"`, found, value(frame), args(frame), contextOf(frame)),
    );
  }

  #checkUse(what: string, definition: Definition<Data>, args: Arguments, at: number): void {
    if (args.spread || args.keywordSpread) return;
    const names = args.keyword.map((one) => one.name);
    const wrong = checkArguments(definition.signature, args.positional.length, names);
    if (wrong !== undefined) this.faults.push(new Fault('syntax', `${what} ${wrong}`, { offset: at }));
  }

  #comparison(node: Extract<Expression, { type: 'comparison' }>): Evaluate {
    const first = this.expression(node.first);
    const rest = node.rest.map(({ operator, value }) => ({ operator, value: this.expression(value) }));
    return guarded(node.at, (frame) => {
      let left = first(frame);
      for (const { operator, value } of rest) {
        const right = value(frame);
        if (!holds(operator, left, right)) return false;
        left = right;
      }
      return true;
    });
  }
}

function holds(operator: ComparisonOperator, left: Data, right: Data): boolean {
  switch (operator) {
    case '==':
      return equal(left, right);
    case '!=':
      return !equal(left, right);
    case '<':
      return compare(left, right, operator) < 0;
    case '<=':
      return compare(left, right, operator) <= 0;
    case '>':
      return compare(left, right, operator) > 0;
    case '>=':
      return compare(left, right, operator) >= 0;
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
  }
}

/** Like guarded, but what fails is an error only for those who use the result, as in ansible-core since 2.19. */
function lenient(at: number, run: Evaluate): Evaluate {
  return (frame) => {
    try {
      return run(frame);
    } catch (error) {
      const fault = placed(error, at, frame);
      if (fault instanceof Fault && fault.kind === 'runtime') return new Failed(fault);
      throw fault;
    }
  };
}

function guarded(at: number, run: Evaluate): Evaluate {
  return (frame) => {
    try {
      return run(frame);
    } catch (error) {
      throw placed(error, at, frame);
    }
  };
}

/** The filter of a filter block or a block set, applied to the block's text. */
export function blockFilter(
  compiler: ExpressionCompiler,
  node: Expression,
): (frame: Frame, text: Data) => Data {
  const name = ' block';
  const evaluate = compiler.expression(withInnermost(node, { type: 'name', name, at: node.at }));
  return (frame, text) =>
    evaluate({ names: new Map([[name, text]]), parent: frame, rendering: frame.rendering });
}

function withInnermost(node: Expression, value: Expression): Expression {
  if (node.type !== 'filter') return node;
  return { ...node, value: node.value ? withInnermost(node.value, value) : value };
}
