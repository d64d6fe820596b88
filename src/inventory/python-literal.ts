import { Float, type Value } from '../lib/value.ts';
import { wholeNumber } from '../lib/yaml-scalar.ts';

/**
 * The value of an INI inventory's `key=value`: a Python literal (`5`, `True`, `['a', 'b']`, `"text"`) where it is one,
 * otherwise the text itself. `true` and `0644` are text, as they are no Python literals.
 */
export function parsePythonLiteral(text: string): Value {
  const parser = new LiteralParser(text);
  try {
    return parser.parse();
  } catch (error) {
    if (error instanceof NotALiteral) return text;
    throw error;
  }
}

class NotALiteral extends Error {}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '0': '\0',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

class LiteralParser {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Value {
    this.#skipSpace();
    const first = this.#value();
    this.#skipSpace();
    const isTuple = this.#text[this.#position] === ',';
    const value = isTuple ? [first, ...this.#restOfTuple()] : first;
    this.#skipSpace();
    if (this.#text[this.#position] === '#') return value;
    if (this.#position < this.#text.length) throw new NotALiteral();
    return value;
  }

  #restOfTuple(): Value[] {
    const items: Value[] = [];
    while (this.#take(',')) {
      this.#skipSpace();
      if (this.#position >= this.#text.length) break;
      items.push(this.#value());
      this.#skipSpace();
    }
    return items;
  }

  #value(): Value {
    this.#skipSpace();
    const rest = this.#text.slice(this.#position);
    const char = rest[0];
    if (char === '[') return this.#items('[', ']').items;
    if (char === '(') {
      const { items, hadComma } = this.#items('(', ')');
      return items.length === 1 && !hadComma ? (items[0] as Value) : items;
    }
    if (char === '{') return this.#dict();
    const string = /^[uU]?(?=["'])/.exec(rest);
    if (string) {
      this.#position += string[0].length;
      return this.#strings();
    }
    const word = /^(?:True|False|None)\b/.exec(rest);
    if (word) {
      this.#position += word[0].length;
      return word[0] === 'None' ? null : word[0] === 'True';
    }
    return this.#number(rest);
  }

  #number(rest: string): Value {
    const match =
      /^[-+]?(?:0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+|(?:\d[\d_]*)?\.?\d[\d_]*\.?(?:[eE][-+]?\d+)?)(?![\w.])/.exec(
        rest,
      );
    if (!match) throw new NotALiteral();
    const text = match[0].replaceAll('_', '');
    const digits = text.replace(/^[-+]/, '');
    // Python has no octal numbers with a plain leading zero.
    if (/^0\d+$/.test(digits) && /[1-9]/.test(digits)) throw new NotALiteral();
    this.#position += match[0].length;
    if (/^0[xob]/i.test(digits) || /^\d+$/.test(digits)) {
      const value = BigInt(digits);
      return wholeNumber(text.startsWith('-') ? -value : value);
    }
    return new Float(Number(text));
  }

  #items(open: string, close: string): { items: Value[]; hadComma: boolean } {
    this.#expect(open);
    const items: Value[] = [];
    let hadComma = false;
    for (;;) {
      this.#skipSpace();
      if (this.#take(close)) return { items, hadComma };
      if (items.length > 0) {
        this.#expect(',');
        hadComma = true;
        this.#skipSpace();
        if (this.#take(close)) return { items, hadComma };
      }
      items.push(this.#value());
    }
  }

  #dict(): Value {
    this.#expect('{');
    const dict = new Map<Value, Value>();
    for (let first = true; ; first = false) {
      this.#skipSpace();
      if (this.#take('}')) return dict;
      if (!first) {
        this.#expect(',');
        this.#skipSpace();
        if (this.#take('}')) return dict;
      }
      const key = this.#value();
      this.#skipSpace();
      this.#expect(':');
      dict.set(key, this.#value());
    }
  }

  /** String literals side by side are one string. */
  #strings(): string {
    let result = this.#string();
    for (;;) {
      this.#skipSpace();
      if (!/["']/.test(this.#text[this.#position] ?? '')) return result;
      result += this.#string();
    }
  }

  #string(): string {
    const quote = this.#text[this.#position] as string;
    this.#position += 1;
    let result = '';
    for (;;) {
      const char = this.#text[this.#position];
      if (char === undefined) throw new NotALiteral();
      this.#position += 1;
      if (char === quote) return result;
      if (char !== '\\') {
        result += char;
        continue;
      }
      const next = this.#text[this.#position] ?? '';
      const hex = /^(?:x[\da-fA-F]{2}|u[\da-fA-F]{4})/.exec(this.#text.slice(this.#position));
      if (hex) {
        result += String.fromCodePoint(Number.parseInt(hex[0].slice(1), 16));
        this.#position += hex[0].length;
      } else {
        result += ESCAPES[next] ?? `\\${next}`;
        this.#position += 1;
      }
    }
  }

  #take(char: string): boolean {
    if (this.#text[this.#position] !== char) return false;
    this.#position += 1;
    return true;
  }

  #expect(char: string): void {
    if (!this.#take(char)) throw new NotALiteral();
  }

  #skipSpace(): void {
    while (/[ \t]/.test(this.#text[this.#position] ?? '')) this.#position += 1;
  }
}
