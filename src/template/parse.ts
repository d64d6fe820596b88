import type { Expression, Parameter, Statement, Target } from './ast.ts';
import { Fault } from './error.ts';
import { tokenize, tokenizeExpression, type Syntax, type Token } from './lexer.ts';
import { ExpressionParser } from './parse-expression.ts';
import { TokenStream } from './token-stream.ts';

/** Parses a template's text. `base` is where it starts in the whole source. */
export function parseTemplate(source: string, syntax: Syntax, base = 0): readonly Statement[] {
  return new StatementParser(new TokenStream(tokensAt(source, syntax, base))).template();
}

function tokensAt(source: string, syntax: Syntax, base: number): readonly Token[] {
  if (base === 0) return tokenize(source, syntax);
  try {
    return tokenize(source, syntax).map((token) => ({ ...token, at: token.at + base }));
  } catch (error) {
    if (error instanceof Fault) error.offset = (error.offset ?? 0) + base;
    throw error;
  }
}

/** Parses a bare expression. */
export function parseExpression(source: string, syntax: Syntax): Expression {
  const stream = new TokenStream(tokenizeExpression(source, syntax));
  const expression = new ExpressionParser(stream).expression();
  if (stream.current.type !== 'eof') throw stream.unexpected('the end of the expression');
  return expression;
}

const UNSUPPORTED_TAGS: Readonly<Record<string, string>> = {
  trans: 'translation',
  pluralize: 'translation',
  debug: 'the debug extension',
};

class StatementParser {
  readonly #stream: TokenStream;
  readonly #expressions: ExpressionParser;
  /** What may close the open tags, innermost last. */
  readonly #open: { tag: string; at: number }[] = [];
  #loops = 0;
  readonly #blocks = new Set<string>();

  constructor(stream: TokenStream) {
    this.#stream = stream;
    this.#expressions = new ExpressionParser(stream);
  }

  template(): readonly Statement[] {
    return this.#statements([]);
  }

  /** Statements up to one of the end tags, whose name is left as the current token. */
  #statements(ends: readonly string[]): Statement[] {
    const body: Statement[] = [];
    for (;;) {
      const token = this.#stream.current;
      switch (token.type) {
        case 'eof':
          if (ends.length > 0) throw this.#neverClosed(ends);
          return body;
        case 'data':
          this.#stream.next();
          body.push({ type: 'data', text: token.value, at: token.at });
          break;
        case 'variable_begin':
          this.#stream.next();
          body.push({ type: 'output', value: this.#expressions.tuple(), at: token.at });
          this.#stream.expectType('variable_end', 'the end of the expression');
          break;
        case 'block_begin':
          this.#stream.next();
          if (this.#stream.isName(...ends)) return body;
          this.#statement(body);
          this.#stream.expectType('block_end', 'the end of the tag');
          break;
        default:
          throw this.#stream.unexpected('text or a tag');
      }
    }
  }

  #neverClosed(ends: readonly string[]): Fault {
    const open = this.#open.at(-1);
    return new Fault('syntax', `"${open?.tag}" is never closed with "${ends.at(-1)}"`, {
      offset: open?.at ?? 0,
    });
  }

  #statement(body: Statement[]): void {
    const token = this.#stream.expectName('the name of a tag');
    const { at } = token;
    switch (token.value) {
      case 'if':
        body.push(this.#if(at));
        break;
      case 'for':
        body.push(this.#for(at));
        break;
      case 'set':
        body.push(this.#set(at));
        break;
      case 'with':
        body.push(this.#with(at));
        break;
      case 'macro':
        body.push(this.#macro(at));
        break;
      case 'call':
        body.push(this.#callBlock(at));
        break;
      case 'filter':
        body.push({
          type: 'filter-block',
          filter: this.#expressions.filter(undefined, true),
          body: this.#body('filter', at, ['endfilter']),
          at,
        });
        break;
      case 'do':
        body.push({ type: 'do', value: this.#expressions.tuple(), at });
        break;
      case 'print':
        body.push({ type: 'output', value: this.#expressions.tuple(), at });
        break;
      case 'break':
      case 'continue':
        if (this.#loops === 0) throw new Fault('syntax', `"${token.value}" outside a loop`, { offset: at });
        body.push({ type: token.value, at });
        break;
      case 'block':
        body.push(this.#block(at));
        break;
      case 'extends':
        body.push({ type: 'extends', template: this.#expressions.expression(), at });
        break;
      case 'autoescape':
        // Nothing is escaped by itself in Ansible, whatever is said here.
        this.#expressions.expression();
        body.push({ type: 'group', body: this.#body('autoescape', at, ['endautoescape']), at });
        break;
      case 'include': {
        const template = this.#expressions.expression();
        const ignoreMissing = this.#takeNames('ignore', 'missing');
        body.push({ type: 'include', template, ignoreMissing, withContext: this.#context(true), at });
        break;
      }
      case 'import': {
        const template = this.#expressions.expression();
        if (!this.#stream.takeName('as')) throw this.#stream.unexpected('"as"');
        const name = this.#stream.expectName().value;
        body.push({ type: 'import', template, name, withContext: this.#context(false), at });
        break;
      }
      case 'from':
        body.push(this.#fromImport(at));
        break;
      default:
        throw this.#unknownTag(token.value, at);
    }
  }

  #block(at: number): Statement {
    const { value: name } = this.#stream.expectName('the name of the block');
    if (this.#blocks.has(name))
      throw new Fault('syntax', `the block "${name}" is defined twice`, { offset: at });
    this.#blocks.add(name);
    const isScoped = this.#stream.takeName('scoped');
    const isRequired = this.#stream.takeName('required');
    const body = this.#outsideLoops(() => this.#body('block', at, ['endblock']));
    this.#stream.takeName(name);
    if (isRequired && !body.every((one) => one.type === 'data' && one.text.trim() === '')) {
      throw new Fault('syntax', `the block "${name}" is required, so it can only hold white space`, {
        offset: at,
      });
    }
    return { type: 'block', name, isScoped, isRequired, body, at };
  }

  #unknownTag(tag: string, at: number): Fault {
    const reason = UNSUPPORTED_TAGS[tag];
    if (reason) return new Fault('syntax', `the tag "${tag}" (${reason}) is not supported`, { offset: at });
    const open = this.#open.at(-1);
    const hint = tag.startsWith('end') && open ? `the tag that is open here is "${open.tag}"` : undefined;
    return new Fault('syntax', `unknown tag "${tag}"`, { offset: at, hint });
  }

  /** The body of a tag and its end tag, of which the name is taken. */
  #body(tag: string, at: number, ends: readonly string[]): Statement[] {
    this.#stream.takeOperator(':');
    this.#stream.expectType('block_end', 'the end of the tag');
    this.#open.push({ tag, at });
    const body = this.#statements(ends);
    this.#open.pop();
    this.#stream.next();
    return body;
  }

  #if(at: number): Statement {
    const branches: { condition: Expression; body: Statement[] }[] = [];
    let otherwise: Statement[] = [];
    for (;;) {
      const condition = this.#expressions.tuple({ conditional: false });
      const body = this.#branch('if', at, ['elif', 'else', 'endif']);
      branches.push({ condition, body });
      if (this.#stream.takeName('elif')) continue;
      if (this.#stream.takeName('else')) otherwise = this.#branch('if', at, ['endif']);
      this.#stream.next();
      return { type: 'if', branches, otherwise, at };
    }
  }

  /** Like #body, but leaves the end tag's name. */
  #branch(tag: string, at: number, ends: readonly string[]): Statement[] {
    this.#stream.takeOperator(':');
    this.#stream.expectType('block_end', 'the end of the tag');
    this.#open.push({ tag, at });
    const body = this.#statements(ends);
    this.#open.pop();
    return body;
  }

  #for(at: number): Statement {
    const target = this.#target(['in']);
    if (!this.#stream.takeName('in')) throw this.#stream.unexpected('"in"');
    const iterable = this.#expressions.tuple({
      conditional: false,
      end: () => this.#stream.isName('recursive'),
    });
    const condition = this.#stream.takeName('if') ? this.#expressions.expression() : undefined;
    const recursive = this.#stream.takeName('recursive');
    this.#loops++;
    const body = this.#branch('for', at, ['endfor', 'else']);
    this.#loops--;
    let otherwise: Statement[] = [];
    if (this.#stream.takeName('else')) otherwise = this.#branch('for', at, ['endfor']);
    this.#stream.next();
    return { type: 'for', target, iterable, condition, recursive, body, otherwise, at };
  }

  #set(at: number): Statement {
    const target = this.#target(['=']);
    if (this.#stream.takeOperator('=')) return { type: 'set', target, value: this.#expressions.tuple(), at };
    const filter = this.#stream.isOperator('|') ? this.#expressions.filter(undefined) : undefined;
    return { type: 'set-block', target, filter, body: this.#body('set', at, ['endset']), at };
  }

  #with(at: number): Statement {
    const bindings: { target: Target; value: Expression }[] = [];
    while (this.#stream.current.type !== 'block_end') {
      if (bindings.length > 0) this.#stream.expectOperator(',');
      const target = this.#singleTarget();
      this.#stream.expectOperator('=');
      bindings.push({ target, value: this.#expressions.expression() });
    }
    return { type: 'with', bindings, body: this.#body('with', at, ['endwith']), at };
  }

  #macro(at: number): Statement {
    const name = this.#stream.expectName('the name of the macro').value;
    const parameters = this.#parameters();
    return {
      type: 'macro',
      name,
      parameters,
      body: this.#outsideLoops(() => this.#body('macro', at, ['endmacro'])),
      at,
    };
  }

  #callBlock(at: number): Statement {
    const parameters = this.#stream.isOperator('(') ? this.#parameters() : [];
    const call = this.#expressions.expression();
    if (call.type !== 'call') throw new Fault('syntax', 'expected a call of a macro', { offset: call.at });
    return {
      type: 'call-block',
      call,
      parameters,
      body: this.#outsideLoops(() => this.#body('call', at, ['endcall'])),
      at,
    };
  }

  #outsideLoops<Result>(parse: () => Result): Result {
    const loops = this.#loops;
    this.#loops = 0;
    const result = parse();
    this.#loops = loops;
    return result;
  }

  #parameters(): Parameter[] {
    const parameters: Parameter[] = [];
    this.#stream.expectOperator('(');
    while (!this.#stream.isOperator(')')) {
      if (parameters.length > 0) this.#stream.expectOperator(',');
      const token = this.#stream.expectName('the name of a parameter');
      const fallback = this.#stream.takeOperator('=') ? this.#expressions.expression() : undefined;
      if (!fallback && parameters.at(-1)?.fallback) {
        throw new Fault('syntax', 'a parameter without a default follows one with a default', {
          offset: token.at,
        });
      }
      parameters.push({ name: token.value, fallback });
    }
    this.#stream.expectOperator(')');
    return parameters;
  }

  #fromImport(at: number): Statement {
    const template = this.#expressions.expression();
    if (!this.#stream.takeName('import')) throw this.#stream.unexpected('"import"');
    const names: { name: string; as: string }[] = [];
    do {
      const token = this.#stream.expectName('the name of a macro');
      if (token.value.startsWith('_')) {
        throw new Fault('syntax', 'names that start with an underscore cannot be imported', {
          offset: token.at,
        });
      }
      const as = this.#stream.takeName('as') ? this.#stream.expectName().value : token.value;
      names.push({ name: token.value, as });
    } while (this.#stream.takeOperator(','));
    return { type: 'from-import', template, names, withContext: this.#context(false), at };
  }

  #context(fallback: boolean): boolean {
    if (this.#takeNames('with', 'context')) return true;
    if (this.#takeNames('without', 'context')) return false;
    return fallback;
  }

  #takeNames(first: string, second: string): boolean {
    const after = this.#stream.look();
    if (!this.#stream.isName(first) || after.type !== 'name' || after.value !== second) return false;
    this.#stream.next();
    this.#stream.next();
    return true;
  }

  #target(ends: readonly string[]): Target {
    const { at } = this.#stream.current;
    const items: Target[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0 && (this.#stream.isName(...ends) || this.#stream.isOperator(...ends))) break;
      items.push(this.#singleTarget());
      if (!this.#stream.takeOperator(',')) break;
      isTuple = true;
    }
    return isTuple ? { type: 'tuple', items, at } : items[0]!;
  }

  #singleTarget(): Target {
    const { at } = this.#stream.current;
    if (this.#stream.takeOperator('(')) {
      const inner = this.#target([')']);
      this.#stream.expectOperator(')');
      return inner;
    }
    const name = this.#stream.expectName('a name to assign to').value;
    if (['true', 'false', 'none', 'True', 'False', 'None'].includes(name)) {
      throw new Fault('syntax', `"${name}" cannot be assigned to`, { offset: at });
    }
    if (!this.#stream.takeOperator('.')) return { type: 'name', name, at };
    return { type: 'namespace', name, attribute: this.#stream.expectName().value, at };
  }
}
