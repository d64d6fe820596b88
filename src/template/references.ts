import type { Arguments, Expression, Statement, Target } from './ast.ts';

/** The names that statements read and do not themselves bind. */
export function freeNames(statements: readonly Statement[]): Set<string> {
  const names = new Set<string>();
  new Walker(names).body(statements, new Set());
  return names;
}

/** The names that an expression reads. */
export function namesIn(expression: Expression): Set<string> {
  const names = new Set<string>();
  new Walker(names).expression(expression, new Set());
  return names;
}

type Bound = ReadonlySet<string>;

class Walker {
  readonly #free: Set<string>;

  constructor(free: Set<string>) {
    this.#free = free;
  }

  /** Goes through a body whose own assignments hold from the statement after them. */
  body(statements: readonly Statement[], outer: Bound): void {
    const bound = new Set(outer);
    for (const one of statements) this.#statement(one, bound);
  }

  #statement(node: Statement, bound: Set<string>): void {
    switch (node.type) {
      case 'data':
      case 'break':
      case 'continue':
        return;
      case 'output':
      case 'do':
        this.expression(node.value, bound);
        return;
      case 'if':
        for (const branch of node.branches) {
          this.expression(branch.condition, bound);
          this.body(branch.body, bound);
        }
        this.body(node.otherwise, bound);
        return;
      case 'for': {
        this.expression(node.iterable, bound);
        const inner = new Set(bound);
        this.#bind(node.target, inner);
        if (node.condition) this.expression(node.condition, inner);
        this.body(node.body, inner);
        this.body(node.otherwise, bound);
        return;
      }
      case 'set':
        this.expression(node.value, bound);
        this.#bind(node.target, bound);
        return;
      case 'set-block':
        if (node.filter) this.expression(node.filter, bound);
        this.body(node.body, bound);
        this.#bind(node.target, bound);
        return;
      case 'with': {
        const inner = new Set(bound);
        for (const { target, value } of node.bindings) {
          this.expression(value, bound);
          this.#bind(target, inner);
        }
        this.body(node.body, inner);
        return;
      }
      case 'filter-block':
        this.expression(node.filter, bound);
        this.body(node.body, bound);
        return;
      case 'macro':
        bound.add(node.name);
        this.#macro(node, bound);
        return;
      case 'call-block':
        this.expression(node.call, bound);
        this.#macro(node, bound);
        return;
      case 'include':
      case 'extends':
        this.expression(node.template, bound);
        return;
      case 'block':
      case 'group':
        this.body(node.body, bound);
        return;
      case 'import':
        this.expression(node.template, bound);
        bound.add(node.name);
        return;
      case 'from-import':
        this.expression(node.template, bound);
        for (const { as } of node.names) bound.add(as);
    }
  }

  #macro(node: Extract<Statement, { type: 'macro' | 'call-block' }>, bound: Bound): void {
    const inner = new Set(bound);
    for (const { name, fallback } of node.parameters) {
      if (fallback) this.expression(fallback, inner);
      inner.add(name);
    }
    this.body(node.body, inner);
  }

  #bind(target: Target, bound: Set<string>): void {
    if (target.type === 'name') bound.add(target.name);
    else if (target.type === 'tuple') for (const item of target.items) this.#bind(item, bound);
    else if (!bound.has(target.name)) this.#free.add(target.name);
  }

  expression(node: Expression, bound: Bound): void {
    switch (node.type) {
      case 'constant':
        return;
      case 'name':
        if (!bound.has(node.name)) this.#free.add(node.name);
        return;
      case 'list':
      case 'tuple':
      case 'concatenation':
        for (const item of node.items) this.expression(item, bound);
        return;
      case 'dict':
        for (const pair of node.items) for (const one of pair) this.expression(one, bound);
        return;
      case 'attribute':
        this.expression(node.of, bound);
        return;
      case 'item':
        this.expression(node.of, bound);
        this.expression(node.key, bound);
        return;
      case 'slice':
        for (const one of [node.of, node.start, node.stop, node.step]) if (one) this.expression(one, bound);
        return;
      case 'call':
        this.expression(node.callee, bound);
        this.#arguments(node.args, bound);
        return;
      case 'filter':
        if (node.value) this.expression(node.value, bound);
        this.#arguments(node.args, bound);
        return;
      case 'test':
        this.expression(node.value, bound);
        this.#arguments(node.args, bound);
        return;
      case 'not':
      case 'negative':
      case 'positive':
        this.expression(node.value, bound);
        return;
      case 'and':
      case 'or':
      case 'binary':
        this.expression(node.left, bound);
        this.expression(node.right, bound);
        return;
      case 'comparison':
        this.expression(node.first, bound);
        for (const { value } of node.rest) this.expression(value, bound);
        return;
      case 'conditional':
        for (const one of [node.condition, node.yes, node.no]) if (one) this.expression(one, bound);
    }
  }

  #arguments(args: Arguments, bound: Bound): void {
    for (const one of args.positional) this.expression(one, bound);
    for (const { value } of args.keyword) this.expression(value, bound);
    if (args.spread) this.expression(args.spread, bound);
    if (args.keywordSpread) this.expression(args.keywordSpread, bound);
  }
}
