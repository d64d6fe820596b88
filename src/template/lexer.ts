import { PYTHON_ESCAPES } from '../lib/python-escapes.ts';
import { Float } from '../lib/value.ts';
import { Fault } from './error.ts';

/** A piece of a template. Offsets count in the source text. */
export type Token =
  | { readonly type: 'data'; readonly value: string; readonly at: number }
  | { readonly type: 'name' | 'string' | 'operator'; readonly value: string; readonly at: number }
  | { readonly type: 'number'; readonly value: number | bigint | Float; readonly at: number }
  | {
      readonly type: 'variable_begin' | 'variable_end' | 'block_begin' | 'block_end' | 'eof';
      readonly value: string;
      readonly at: number;
    };

/** Delimiters and treatment of white space. */
export interface Syntax {
  readonly variableStart: string;
  readonly variableEnd: string;
  readonly blockStart: string;
  readonly blockEnd: string;
  readonly commentStart: string;
  readonly commentEnd: string;
  readonly trimBlocks: boolean;
  readonly lstripBlocks: boolean;
  readonly keepTrailingNewline: boolean;
  /** Whether `\n` in a string inside `{{ }}` is an escape; not so in text from YAML, which has had its own. */
  readonly escapesInVariables: boolean;
}

export const DEFAULT_SYNTAX: Syntax = {
  variableStart: '{{',
  variableEnd: '}}',
  blockStart: '{%',
  blockEnd: '%}',
  commentStart: '{#',
  commentEnd: '#}',
  trimBlocks: true,
  lstripBlocks: false,
  keepTrailingNewline: false,
  escapesInVariables: true,
};

const OPERATORS = [
  '//',
  '**',
  '==',
  '!=',
  '>=',
  '<=',
  '+',
  '-',
  '/',
  '*',
  '%',
  '~',
  '[',
  ']',
  '(',
  ')',
  '{',
  '}',
  '>',
  '<',
  '=',
  '.',
  ':',
  '|',
  ',',
  ';',
];
const SPACE = /\s+/y;
const FLOAT = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?[eE][+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/y;
const INTEGER = /0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|[1-9](?:_?\d)*|0(?:_?0)*/y;
const NAME = /[\p{ID_Start}_][\p{ID_Continue}]*/uy;
const STRING = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"/y;
const CLOSER: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** The tokens of a template. */
export function tokenize(source: string, syntax: Syntax): Token[] {
  return new Lexer(source, syntax).template();
}

/** The tokens of a bare expression. */
export function tokenizeExpression(source: string, syntax: Syntax): Token[] {
  return new Lexer(source, syntax).expression();
}

class Lexer {
  readonly #source: string;
  readonly #end: number;
  readonly #syntax: Syntax;
  readonly #tokens: Token[] = [];
  readonly #open: { closer: string; at: number }[] = [];
  #position = 0;

  constructor(source: string, syntax: Syntax) {
    this.#source = source;
    this.#syntax = syntax;
    let end = source.length;
    if (!syntax.keepTrailingNewline) {
      if (source.endsWith('\r\n')) end -= 2;
      else if (source.endsWith('\n') || source.endsWith('\r')) end -= 1;
    }
    this.#end = end;
  }

  expression(): Token[] {
    while (this.#position < this.#source.length) this.#inside(true);
    this.#checkBalance();
    this.#push('eof', '', this.#source.length);
    return this.#tokens;
  }

  template(): Token[] {
    const { variableStart, blockStart, commentStart } = this.#syntax;
    // Longest first, so that "<%=" wins over "<%"; alphabetically last wins among equals, as in Jinja.
    const starts = [
      { text: commentStart, kind: 'comment' as const },
      { text: blockStart, kind: 'block' as const },
      { text: variableStart, kind: 'variable' as const },
    ].sort((a, b) => b.text.length - a.text.length);
    let lineStarting = true;
    for (;;) {
      const next = this.#nextStart(starts);
      if (!next) break;
      lineStarting = this.#tag(next.kind, next.text, next.at, lineStarting);
    }
    this.#data(this.#source.slice(this.#position, this.#end), this.#position);
    this.#push('eof', '', this.#end);
    return this.#tokens;
  }

  #nextStart<Kind>(
    starts: readonly { text: string; kind: Kind }[],
  ): { text: string; kind: Kind; at: number } | undefined {
    let best: { text: string; kind: Kind; at: number } | undefined;
    for (const start of starts) {
      const at = this.#source.indexOf(start.text, this.#position);
      if (at >= 0 && at < this.#end && (!best || at < best.at)) best = { ...start, at };
    }
    return best;
  }

  /** Handles one tag at `at`; gives whether a line starts right after it. */
  #tag(kind: 'comment' | 'block' | 'variable', start: string, at: number, lineStarting: boolean): boolean {
    let inner = at + start.length;
    const sign = this.#source[inner];
    const marked = sign === '-' || sign === '+';
    if (marked) inner++;
    const text = this.#source.slice(this.#position, at);
    this.#data(this.#stripped(text, sign, kind, lineStarting), this.#position);
    this.#position = inner;
    if (kind === 'comment') this.#comment(at);
    else if (kind === 'variable') this.#variable(at);
    else if (!this.#raw(at)) this.#block(at);
    return this.#source[this.#position - 1] === '\n';
  }

  #stripped(text: string, sign: string | undefined, kind: string, lineStarting: boolean): string {
    if (sign === '-') return text.trimEnd();
    if (sign === '+' || !this.#syntax.lstripBlocks || kind === 'variable') return text;
    const lineStart = text.lastIndexOf('\n') + 1;
    if ((lineStart > 0 || lineStarting) && /^\s+$/.test(text.slice(lineStart)))
      return text.slice(0, lineStart);
    return text;
  }

  #comment(at: number): void {
    const { commentEnd } = this.#syntax;
    const end = this.#source.indexOf(commentEnd, this.#position);
    if (end < 0) throw new Fault('syntax', 'the comment is never closed', { offset: at });
    const sign = this.#source[end - 1];
    this.#position = end + commentEnd.length;
    this.#afterTag(end > at + 2 ? sign : undefined);
  }

  /** What a tag's end takes with it: white space after `-`, one line break if blocks are trimmed. */
  #afterTag(sign: string | undefined): void {
    if (sign === '-') this.#position = skip(SPACE, this.#source, this.#position);
    else if (sign !== '+' && this.#syntax.trimBlocks && this.#source[this.#position] === '\n')
      this.#position++;
  }

  #variable(at: number): void {
    this.#push('variable_begin', '', at);
    const { variableEnd } = this.#syntax;
    for (;;) {
      if (this.#position >= this.#source.length) {
        this.#checkBalance();
        throw new Fault('syntax', `the expression is never closed with ${variableEnd}`, { offset: at });
      }
      if (this.#open.length === 0) {
        const minus =
          this.#source[this.#position] === '-' && this.#source.startsWith(variableEnd, this.#position + 1);
        if (minus || this.#source.startsWith(variableEnd, this.#position)) {
          this.#push('variable_end', '', this.#position);
          this.#position += variableEnd.length + (minus ? 1 : 0);
          if (minus) this.#position = skip(SPACE, this.#source, this.#position);
          return;
        }
      }
      this.#inside(this.#syntax.escapesInVariables);
    }
  }

  #block(at: number): void {
    this.#push('block_begin', '', at);
    const { blockEnd } = this.#syntax;
    for (;;) {
      if (this.#position >= this.#source.length) {
        this.#checkBalance();
        throw new Fault('syntax', `the tag is never closed with ${blockEnd}`, { offset: at });
      }
      if (this.#open.length === 0) {
        const sign = this.#source[this.#position];
        const signed =
          (sign === '-' || sign === '+') && this.#source.startsWith(blockEnd, this.#position + 1);
        if (signed || this.#source.startsWith(blockEnd, this.#position)) {
          this.#push('block_end', '', this.#position);
          this.#position += blockEnd.length + (signed ? 1 : 0);
          this.#afterTag(signed ? sign : undefined);
          return;
        }
      }
      this.#inside(true);
    }
  }

  #raw(at: number): boolean {
    const { blockStart, blockEnd } = this.#syntax;
    const begin = new RegExp(`\\s*raw\\s*(?:-${quoted(blockEnd)}\\s*|${quoted(blockEnd)})`, 'y');
    const inner = skip(begin, this.#source, this.#position);
    if (inner === this.#position) return false;
    const end = new RegExp(`${quoted(blockStart)}([-+]?)\\s*endraw\\s*([-+]?)${quoted(blockEnd)}`, 'g');
    end.lastIndex = inner;
    const match = end.exec(this.#source);
    if (!match) throw new Fault('syntax', 'raw is never closed with endraw', { offset: at });
    const text = this.#source.slice(inner, match.index);
    this.#data(this.#stripped(text, match[1], 'block', this.#source[inner - 1] === '\n'), inner);
    this.#position = match.index + match[0].length;
    this.#afterTag(match[2]);
    return true;
  }

  /** One token of an expression or statement. */
  #inside(escapes: boolean): void {
    const source = this.#source;
    const at = this.#position;
    const space = skip(SPACE, source, at);
    if (space > at) {
      this.#position = space;
      return;
    }
    const float = source[at - 1] === '.' ? at : skip(FLOAT, source, at);
    if (float > at) {
      this.#tokens.push({
        type: 'number',
        value: new Float(Number(source.slice(at, float).replaceAll('_', ''))),
        at,
      });
      this.#position = float;
      return;
    }
    const integer = skip(INTEGER, source, at);
    if (integer > at) {
      const big = BigInt(source.slice(at, integer).replaceAll('_', ''));
      const value = Number.isSafeInteger(Number(big)) ? Number(big) : big;
      this.#tokens.push({ type: 'number', value, at });
      this.#position = integer;
      return;
    }
    const name = skip(NAME, source, at);
    if (name > at) {
      this.#push('name', source.slice(at, name), at);
      this.#position = name;
      return;
    }
    const string = skip(STRING, source, at);
    if (string > at) {
      const raw = source.slice(at + 1, string - 1).replaceAll(/\r\n|\r/g, '\n');
      this.#push('string', escapes ? unescapeString(raw, at) : raw, at);
      this.#position = string;
      return;
    }
    const operator = OPERATORS.find((one) => source.startsWith(one, at));
    if (!operator) throw unexpectedCharacter(source, at);
    this.#balance(operator, at);
    this.#push('operator', operator, at);
    this.#position += operator.length;
  }

  #balance(operator: string, at: number): void {
    const closer = CLOSER[operator];
    if (closer !== undefined) this.#open.push({ closer, at });
    else if (operator === ')' || operator === ']' || operator === '}') {
      const open = this.#open.pop();
      if (!open) throw new Fault('syntax', `unexpected "${operator}"`, { offset: at });
      if (open.closer !== operator) {
        throw new Fault('syntax', `unexpected "${operator}", expected "${open.closer}"`, { offset: at });
      }
    }
  }

  #checkBalance(): void {
    const open = this.#open.at(-1);
    if (open)
      throw new Fault('syntax', `a bracket is never closed with "${open.closer}"`, { offset: open.at });
  }

  #data(text: string, at: number): void {
    if (text !== '') this.#push('data', text.includes('\r') ? text.replaceAll(/\r\n|\r/g, '\n') : text, at);
  }

  #push(type: Exclude<Token['type'], 'number'>, value: string, at: number): void {
    this.#tokens.push({ type, value, at });
  }
}

function skip(pattern: RegExp, source: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(source) ? pattern.lastIndex : at;
}

function quoted(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function unexpectedCharacter(source: string, at: number): Fault {
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
  if (character === '"' || character === "'") {
    return new Fault('syntax', `the string is never closed with ${character}`, { offset: at });
  }
  return new Fault('syntax', `unexpected character "${character}"`, { offset: at });
}

/** A backslash at the end of a line joins it with the next one. */
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = { ...PYTHON_ESCAPES, '\n': '' };

/** Python's escapes; an unknown one keeps its backslash. */
function unescapeString(raw: string, at: number): string {
  if (!raw.includes('\\')) return raw;
  const escape = /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([\s\S]))/g;
  return raw.replace(
    escape,
    (whole: string, octal?: string, x?: string, u?: string, wide?: string, simple?: string) => {
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      const hex = x ?? u ?? wide;
      if (hex !== undefined) {
        const code = Number.parseInt(hex, 16);
        if (code > 0x10ffff) throw new Fault('syntax', `"${whole}" is no character`, { offset: at });
        return String.fromCodePoint(code);
      }
      if (simple === 'x' || simple === 'u' || simple === 'U' || simple === 'N') {
        throw new Fault('syntax', `the escape "${whole}" in this string is incomplete or not supported`, {
          offset: at,
        });
      }
      return SIMPLE_ESCAPES[simple ?? ''] ?? whole;
    },
  );
}
