import { Fault } from './error.ts';
import type { Token } from './lexer.ts';

/** Walks over tokens. */
export class TokenStream {
  readonly #tokens: readonly Token[];
  #index = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get current(): Token {
    return this.#tokens[this.#index]!;
  }

  look(ahead = 1): Token {
    return this.#tokens[Math.min(this.#index + ahead, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.current;
    if (this.#index < this.#tokens.length - 1) this.#index++;
    return token;
  }

  isOperator(...operators: readonly string[]): boolean {
    return this.current.type === 'operator' && operators.includes(this.current.value);
  }

  isName(...names: readonly string[]): boolean {
    return this.current.type === 'name' && names.includes(this.current.value);
  }

  takeOperator(operator: string): boolean {
    const found = this.isOperator(operator);
    if (found) this.next();
    return found;
  }

  takeName(name: string): boolean {
    const found = this.isName(name);
    if (found) this.next();
    return found;
  }

  expectOperator(operator: string): Token {
    if (!this.isOperator(operator)) throw this.unexpected(`"${operator}"`);
    return this.next();
  }

  expectName(what = 'a name'): Extract<Token, { value: string }> {
    const token = this.current;
    if (token.type !== 'name') throw this.unexpected(what);
    this.next();
    return token;
  }

  expectType(type: Token['type'], what: string): Token {
    if (this.current.type !== type) throw this.unexpected(what);
    return this.next();
  }

  unexpected(expected: string): Fault {
    const token = this.current;
    return new Fault('syntax', `expected ${expected}, found ${describe(token)}`, { offset: token.at });
  }
}

/** A token as a message names it. */
export function describe(token: Token): string {
  switch (token.type) {
    case 'data':
      return 'text';
    case 'string':
      return 'a string';
    case 'number':
      return 'a number';
    case 'name':
    case 'operator':
      return `"${token.value}"`;
    case 'variable_begin':
    case 'block_begin':
      return 'the start of a tag';
    case 'variable_end':
    case 'block_end':
      return 'the end of the tag';
    case 'eof':
      return 'the end of the text';
  }
}
