import type { Arguments, BinaryOperator, ComparisonOperator, Expression } from './ast.ts';
import { Fault } from './error.ts';
import { describe, type TokenStream } from './token-stream.ts';

const NO_ARGUMENTS: Arguments = { positional: [], keyword: [], spread: undefined, keywordSpread: undefined };
const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='];

/** The grammar of expressions, with Jinja's precedence. */
export class ExpressionParser {
  readonly stream: TokenStream;

  constructor(stream: TokenStream) {
    this.stream = stream;
  }

  /** An expression, or several with commas between: a tuple. */
  tuple(options: { conditional?: boolean; explicit?: boolean; end?: () => boolean } = {}): Expression {
    const { conditional = true, explicit = false, end } = options;
    const at = this.stream.current.at;
    const items: Expression[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0) this.stream.expectOperator(',');
      if (this.#isTupleEnd() || end?.()) break;
      items.push(conditional ? this.expression() : this.#or());
      if (!this.stream.isOperator(',')) break;
      isTuple = true;
    }
    if (isTuple) return { type: 'tuple', items, at };
    const [only] = items;
    if (only) return only;
    if (!explicit) throw this.stream.unexpected('an expression');
    return { type: 'tuple', items, at };
  }

  #isTupleEnd(): boolean {
    const { type } = this.stream.current;
    return type === 'variable_end' || type === 'block_end' || type === 'eof' || this.stream.isOperator(')');
  }

  expression(): Expression {
    const { at } = this.stream.current;
    let yes = this.#or();
    while (this.stream.takeName('if')) {
      const condition = this.#or();
      const no = this.stream.takeName('else') ? this.expression() : undefined;
      yes = { type: 'conditional', condition, yes, no, at };
    }
    return yes;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.stream.isName('or')) {
      const { at } = this.stream.next();
      left = { type: 'or', left, right: this.#and(), at };
    }
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.stream.isName('and')) {
      const { at } = this.stream.next();
      left = { type: 'and', left, right: this.#not(), at };
    }
    return left;
  }

  #not(): Expression {
    if (!this.stream.isName('not')) return this.#comparison();
    const { at } = this.stream.next();
    return { type: 'not', value: this.#not(), at };
  }

  #comparison(): Expression {
    const { at } = this.stream.current;
    const first = this.#sum();
    const rest: { operator: ComparisonOperator; value: Expression }[] = [];
    for (;;) {
      const operator = this.#comparisonOperator();
      if (!operator) break;
      rest.push({ operator, value: this.#sum() });
    }
    return rest.length === 0 ? first : { type: 'comparison', first, rest, at };
  }

  #comparisonOperator(): ComparisonOperator | undefined {
    const { current } = this.stream;
    if (current.type === 'operator' && COMPARISONS.includes(current.value)) {
      this.stream.next();
      return current.value as ComparisonOperator;
    }
    if (this.stream.takeName('in')) return 'in';
    const after = this.stream.look();
    if (this.stream.isName('not') && after.type === 'name' && after.value === 'in') {
      this.stream.next();
      this.stream.next();
      return 'not in';
    }
    return undefined;
  }

  #sum(): Expression {
    return this.#leftAssociative(['+', '-'], () => this.#concatenation());
  }

  #concatenation(): Expression {
    const { at } = this.stream.current;
    const items = [this.#product()];
    while (this.stream.takeOperator('~')) items.push(this.#product());
    return items.length === 1 ? items[0]! : { type: 'concatenation', items, at };
  }

  #product(): Expression {
    return this.#leftAssociative(['*', '/', '//', '%'], () => this.#power());
  }

  #power(): Expression {
    return this.#leftAssociative(['**'], () => this.#unary(true));
  }

  #leftAssociative(operators: readonly string[], operand: () => Expression): Expression {
    let left = operand();
    while (this.stream.isOperator(...operators)) {
      const { at, value } = this.stream.next();
      left = { type: 'binary', operator: value as BinaryOperator, left, right: operand(), at };
    }
    return left;
  }

  #unary(withFilter: boolean): Expression {
    const { at } = this.stream.current;
    let node: Expression;
    if (this.stream.takeOperator('-')) node = { type: 'negative', value: this.#unary(false), at };
    else if (this.stream.takeOperator('+')) node = { type: 'positive', value: this.#unary(false), at };
    else node = this.#primary();
    node = this.#postfix(node);
    return withFilter ? this.#filters(node) : node;
  }

  #primary(): Expression {
    const token = this.stream.current;
    const { at } = token;
    switch (token.type) {
      case 'name':
        this.stream.next();
        return constantOf(token.value, at) ?? { type: 'name', name: token.value, at };
      case 'string': {
        let value = '';
        for (let { current } = this.stream; current.type === 'string'; { current } = this.stream) {
          value += current.value;
          this.stream.next();
        }
        return { type: 'constant', value, at };
      }
      case 'number':
        this.stream.next();
        return { type: 'constant', value: token.value, at };
      case 'operator':
        return this.#bracketed(token.value, at);
      default:
        throw this.stream.unexpected('an expression');
    }
  }

  #bracketed(operator: string, at: number): Expression {
    if (operator === '(') {
      this.stream.next();
      const inner = this.tuple({ explicit: true });
      this.stream.expectOperator(')');
      return inner;
    }
    if (operator === '[') {
      this.stream.next();
      return { type: 'list', items: this.#items(']', () => this.expression()), at };
    }
    if (operator === '{') {
      this.stream.next();
      const items = this.#items('}', () => {
        const key = this.expression();
        this.stream.expectOperator(':');
        return [key, this.expression()] as const;
      });
      return { type: 'dict', items, at };
    }
    throw this.stream.unexpected('an expression');
  }

  #items<Item>(closer: string, item: () => Item): Item[] {
    const items: Item[] = [];
    while (!this.stream.isOperator(closer)) {
      if (items.length > 0) {
        this.stream.expectOperator(',');
        if (this.stream.isOperator(closer)) break;
      }
      items.push(item());
    }
    this.stream.expectOperator(closer);
    return items;
  }

  #postfix(start: Expression): Expression {
    let node = start;
    for (;;) {
      if (this.stream.isOperator('.')) node = this.#attribute(node);
      else if (this.stream.isOperator('[')) node = this.#subscript(node);
      else if (this.stream.isOperator('(')) node = this.#call(node);
      else return node;
    }
  }

  #attribute(of: Expression): Expression {
    this.stream.next();
    const token = this.stream.next();
    if (token.type === 'name') return { type: 'attribute', of, name: token.value, at: token.at };
    if (token.type === 'number' && typeof token.value === 'number') {
      return { type: 'item', of, key: { type: 'constant', value: token.value, at: token.at }, at: token.at };
    }
    throw new Fault('syntax', `expected a name or a number after ".", found ${describe(token)}`, {
      offset: token.at,
    });
  }

  #subscript(of: Expression): Expression {
    const { at } = this.stream.next();
    const parts: (Expression | undefined)[] = [];
    let colons = 0;
    let part: Expression | undefined;
    while (!this.stream.isOperator(']')) {
      if (this.stream.takeOperator(':')) {
        parts.push(part);
        part = undefined;
        colons++;
      } else if (this.stream.isOperator(',')) {
        throw new Fault('syntax', 'several subscripts in one pair of brackets are not supported', {
          offset: at,
        });
      } else {
        if (part) throw this.stream.unexpected('"]"');
        part = this.expression();
      }
    }
    parts.push(part);
    this.stream.expectOperator(']');
    if (colons > 2) throw new Fault('syntax', 'a slice has at most three parts', { offset: at });
    if (colons > 0) return { type: 'slice', of, start: parts[0], stop: parts[1], step: parts[2], at };
    if (!part) throw new Fault('syntax', 'expected a subscript between the brackets', { offset: at });
    return { type: 'item', of, key: part, at };
  }

  #call(callee: Expression): Expression {
    const { at } = this.stream.current;
    return {
      type: 'call',
      callee,
      args: this.arguments(),
      at: callee.type === 'attribute' || callee.type === 'name' ? callee.at : at,
    };
  }

  arguments(): Arguments {
    const { at } = this.stream.expectOperator('(');
    const positional: Expression[] = [];
    const keyword: { name: string; value: Expression }[] = [];
    let spread: Expression | undefined;
    let keywordSpread: Expression | undefined;
    const ensure = (fine: boolean): void => {
      if (!fine)
        throw new Fault('syntax', 'the arguments of this call are in the wrong order', { offset: at });
    };
    this.#items(')', () => {
      const { current } = this.stream;
      const after = this.stream.look();
      if (this.stream.takeOperator('*')) {
        ensure(!spread && !keywordSpread);
        spread = this.expression();
      } else if (this.stream.takeOperator('**')) {
        ensure(!keywordSpread);
        keywordSpread = this.expression();
      } else if (current.type === 'name' && after.type === 'operator' && after.value === '=') {
        ensure(!keywordSpread);
        this.stream.next();
        this.stream.next();
        if (keyword.some((one) => one.name === current.value)) {
          throw new Fault('syntax', `the argument "${current.value}" is given twice`, { offset: current.at });
        }
        keyword.push({ name: current.value, value: this.expression() });
      } else {
        ensure(!spread && !keywordSpread && keyword.length === 0);
        positional.push(this.expression());
      }
    });
    return { positional, keyword, spread, keywordSpread };
  }

  #filters(start: Expression): Expression {
    let node = start;
    for (;;) {
      if (this.stream.isOperator('|')) node = this.filter(node);
      else if (this.stream.isName('is')) node = this.#test(node);
      else if (this.stream.isOperator('(')) node = this.#call(node);
      else return node;
    }
  }

  /** `| name(…) | name(…)`; `inline` when the first `|` is left out, as in a filter block. */
  filter(start: Expression | undefined, inline = false): Expression {
    let node = start;
    let first = inline;
    while (first || this.stream.isOperator('|')) {
      if (!first) this.stream.next();
      first = false;
      const { at } = this.stream.current;
      const name = this.#dottedName('the name of a filter');
      const args = this.stream.isOperator('(') ? this.arguments() : NO_ARGUMENTS;
      node = { type: 'filter', value: node, name, args, at };
    }
    return node!;
  }

  #dottedName(what: string): string {
    let name = this.stream.expectName(what).value;
    while (this.stream.takeOperator('.')) name += `.${this.stream.expectName(what).value}`;
    return name;
  }

  #test(value: Expression): Expression {
    const { at } = this.stream.next();
    const negated = this.stream.takeName('not');
    const nameAt = this.stream.current.at;
    const name = this.#dottedName('the name of a test');
    let args = NO_ARGUMENTS;
    const { current } = this.stream;
    if (this.stream.isOperator('(')) args = this.arguments();
    else if (
      (current.type === 'name' && !['else', 'or', 'and'].includes(current.value)) ||
      current.type === 'string' ||
      current.type === 'number' ||
      this.stream.isOperator('[', '{')
    ) {
      if (this.stream.isName('is'))
        throw new Fault('syntax', 'tests cannot be chained with "is"', { offset: current.at });
      args = { ...NO_ARGUMENTS, positional: [this.#postfix(this.#primary())] };
    }
    const node: Expression = { type: 'test', value, name, args, at: nameAt };
    return negated ? { type: 'not', value: node, at } : node;
  }
}

function constantOf(name: string, at: number): Expression | undefined {
  switch (name) {
    case 'true':
    case 'True':
      return { type: 'constant', value: true, at };
    case 'false':
    case 'False':
      return { type: 'constant', value: false, at };
    case 'none':
    case 'None':
      return { type: 'constant', value: null, at };
    default:
      return undefined;
  }
}
