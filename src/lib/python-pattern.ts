/** A pattern or a replacement that cannot be used, with the reason. */
export class PatternError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PatternError';
  }
}

/** Flags of Python's `re`, beside those written into the pattern. */
export interface PatternOptions {
  readonly ignoreCase?: boolean;
  readonly multiline?: boolean;
  readonly dotAll?: boolean;
  /** A pattern for bytes: subjects are the latin1 characters of the bytes (see `toBytesText`), classes are ASCII. */
  readonly bytes?: boolean;
}

/** A pattern in JavaScript's syntax. */
export interface Translated {
  readonly source: string;
  readonly flags: string;
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
}

/** Puts a pattern of Python's in JavaScript's syntax; one for bytes is given as the latin1 characters of its bytes. */
export function translatePattern(pattern: string, options: PatternOptions): Translated {
  return new Translator(pattern, options).translate();
}

function unsupported(pattern: string, what: string): PatternError {
  return new PatternError(`the regular expression ${JSON.stringify(pattern)}: ${what} is not supported`);
}

class Translator {
  readonly #pattern: string;
  readonly #classes: Classes;
  #ignoreCase: boolean;
  #multiline: boolean;
  #dotAll: boolean;
  #verbose = false;
  /** The flags around each group that is open. */
  readonly #outside: (readonly [multiline: boolean, dotAll: boolean])[] = [];
  #at = 0;
  #out = '';
  #groups = 0;
  readonly #names = new Map<string, number>();

  constructor(pattern: string, flags: PatternOptions) {
    this.#pattern = pattern;
    this.#classes = flags.bytes ? OF_BYTES : OF_TEXT;
    this.#ignoreCase = flags.ignoreCase ?? false;
    this.#multiline = flags.multiline ?? false;
    this.#dotAll = flags.dotAll ?? false;
  }

  translate(): Translated {
    this.#globalFlags();
    while (this.#at < this.#pattern.length) this.#step();
    return {
      source: this.#out,
      flags: `u${this.#ignoreCase ? 'i' : ''}`,
      groups: this.#groups,
      names: this.#names,
    };
  }

  #globalFlags(): void {
    for (
      let match = /^\(\?([aiLmsux]+)\)/.exec(this.#pattern.slice(this.#at));
      match;
      match = /^\(\?([aiLmsux]+)\)/.exec(this.#pattern.slice(this.#at))
    ) {
      for (const flag of match[1]!) {
        if (flag === 'i') this.#ignoreCase = true;
        else if (flag === 'm') this.#multiline = true;
        else if (flag === 's') this.#dotAll = true;
        else if (flag === 'x') this.#verbose = true;
        else if (!this.#classes.flags.includes(flag)) throw unsupported(this.#pattern, `the flag (?${flag})`);
      }
      this.#at += match[0].length;
    }
  }

  #step(): void {
    const one = String.fromCodePoint(this.#pattern.codePointAt(this.#at)!);
    switch (one) {
      case '\\':
        this.#escape(false);
        return;
      case '[':
        this.#set();
        return;
      case '(':
        this.#group();
        return;
      case ')':
        // Flags of a group hold to its end.
        [this.#multiline, this.#dotAll] = this.#outside.pop() ?? [this.#multiline, this.#dotAll];
        this.#emit(')', 1);
        return;
      case '.':
        this.#emit(this.#dotAll ? '[\\s\\S]' : '[^\\n]', 1);
        return;
      case '^':
        this.#emit(this.#multiline ? '(?<![^\\n])' : '(?<![\\s\\S])', 1);
        return;
      case '$':
        this.#emit(this.#multiline ? '(?![^\\n])' : '(?=\\n?(?![\\s\\S]))', 1);
        return;
      case '{':
        this.#brace();
        return;
      case '}':
      case ']':
        this.#emit(`\\${one}`, 1);
        return;
      case '*':
      case '+':
      case '?':
        this.#emit(one, 1);
        if (this.#pattern[this.#at] === '+') throw unsupported(this.#pattern, 'a possessive quantifier');
        if (this.#pattern[this.#at] === '?') this.#emit('?', 1);
        return;
      default:
        if (this.#verbose && (/[ \t\n\r\f\v]/.test(one) || one === '#')) {
          this.#at += one === '#' ? /^#[^\n]*/.exec(this.#pattern.slice(this.#at))![0].length : 1;
          return;
        }
        this.#emit(one === '/' ? '\\/' : one, one.length);
    }
  }

  #emit(text: string, taken: number): void {
    this.#out += text;
    this.#at += taken;
  }

  /** A brace is a quantifier only if it looks like one; `{,n}` counts from zero. */
  #brace(): void {
    const match = /^\{(\d*)(,?)(\d*)\}/.exec(this.#pattern.slice(this.#at));
    if (!match || (match[1] === '' && match[3] === '')) {
      this.#emit('\\{', 1);
      return;
    }
    this.#emit(`{${match[1] === '' ? '0' : match[1]}${match[2]}${match[3]}}`, match[0].length);
    if (this.#pattern[this.#at] === '+') throw unsupported(this.#pattern, 'a possessive quantifier');
    if (this.#pattern[this.#at] === '?') this.#emit('?', 1);
  }

  #group(): void {
    const rest = this.#pattern.slice(this.#at);
    const comment = /^\(\?#[^)]*\)/.exec(rest);
    // Named references look like groups, too.
    if (!comment && !rest.startsWith('(?P=')) this.#outside.push([this.#multiline, this.#dotAll]);
    const named = /^\(\?P<([A-Za-z_]\w*)>/.exec(rest);
    if (named) {
      this.#groups++;
      this.#names.set(named[1]!, this.#groups);
      this.#emit('(', named[0].length);
      return;
    }
    const reference = /^\(\?P=(\w+)\)/.exec(rest);
    if (reference) {
      const group = this.#names.get(reference[1]!);
      if (group === undefined)
        throw new PatternError(
          `the regular expression ${JSON.stringify(this.#pattern)}: unknown group name '${reference[1]}'`,
        );
      this.#emit(`(?:\\${group})`, reference[0].length);
      return;
    }
    if (comment) {
      this.#at += comment[0].length;
      return;
    }
    const plain = /^\(\?(?::|=|!|<=|<!)/.exec(rest);
    if (plain) {
      this.#emit(plain[0], plain[0].length);
      return;
    }
    const scoped = /^\(\?([ims]*)(?:-([ims]+))?:/.exec(rest);
    if (scoped) {
      const [whole, on = '', off = ''] = scoped;
      const sets = (flag: string, before: boolean): boolean =>
        off.includes(flag) ? false : on.includes(flag) || before;
      this.#multiline = sets('m', this.#multiline);
      this.#dotAll = sets('s', this.#dotAll);
      // Case is the one flag that JavaScript's own groups have to know.
      this.#emit(on.includes('i') ? '(?i:' : off.includes('i') ? '(?-i:' : '(?:', whole.length);
      return;
    }
    if (rest.startsWith('(?')) throw unsupported(this.#pattern, `the group "${rest.slice(0, 4)}"`);
    this.#groups++;
    this.#emit('(', 1);
  }

  #escape(inSet: boolean): void {
    const next = this.#pattern[this.#at + 1];
    if (next === undefined)
      throw new PatternError(`the regular expression ${JSON.stringify(this.#pattern)} ends with a backslash`);
    const classText = this.#classes.of(next, inSet);
    if (classText !== undefined) {
      this.#emit(classText, 2);
      return;
    }
    const rest = this.#pattern.slice(this.#at);
    if (!inSet) {
      if (next === 'A') return this.#emit('(?<![\\s\\S])', 2);
      if (next === 'Z') return this.#emit('(?![\\s\\S])', 2);
      if (next === 'b' || next === 'B') return this.#emit(this.#classes.boundary(next), 2);
      const group = /^\\([1-9]\d?)/.exec(rest);
      if (group && !/^\\[0-3][0-7][0-7]/.test(rest)) return this.#emit(`(?:\\${group[1]})`, group[0].length);
    } else if (next === 'b') return this.#emit('\\x08', 2);
    const octal = /^\\(0[0-7]{0,2}|[0-3][0-7][0-7])/.exec(rest);
    if (octal)
      return this.#emit(`\\x${Number.parseInt(octal[1]!, 8).toString(16).padStart(2, '0')}`, octal[0].length);
    const hex = this.#classes.hex.exec(rest);
    if (hex) return this.#emit(hex[0], hex[0].length);
    if (next === 'a') return this.#emit('\\x07', 2);
    if ('fnrtv'.includes(next)) return this.#emit(`\\${next}`, 2);
    if (/[A-Za-z0-9]/.test(next)) throw unsupported(this.#pattern, `the escape \\${next}`);
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at + 1)!);
    return this.#emit(
      /[\^$\\.*+?()[\]{}|/]/.test(character) || (inSet && character === '-') ? `\\${character}` : character,
      1 + character.length,
    );
  }

  #set(): void {
    this.#emit('[', 1);
    if (this.#pattern[this.#at] === '^') this.#emit('^', 1);
    let first = true;
    for (;;) {
      const one = this.#pattern[this.#at];
      if (one === undefined)
        throw new PatternError(
          `the regular expression ${JSON.stringify(this.#pattern)}: a set is never closed with "]"`,
        );
      if (one === ']' && !first) {
        this.#emit(']', 1);
        return;
      }
      first = false;
      if (one === '\\') this.#escape(true);
      else if (one === '-') {
        const last = this.#out.at(-1);
        const after = this.#pattern[this.#at + 1];
        const isRange =
          after !== undefined && after !== ']' && last !== '[' && !(last === '^' && this.#out.at(-2) === '[');
        this.#emit(isRange ? '-' : '\\-', 1);
      } else if ('[]{}()|/^$.*+?'.includes(one)) this.#emit(`\\${one}`, 1);
      else {
        const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at)!);
        this.#emit(character, character.length);
      }
    }
  }
}

/** What differs between patterns for text and for bytes. */
interface Classes {
  /** The flags that say what is so anyway. */
  readonly flags: string;
  readonly hex: RegExp;
  of(letter: string, inSet: boolean): string | undefined;
  boundary(letter: string): string;
}

const WORD = '[\\p{L}\\p{N}_]';

/** Python's classes of characters for text: by Unicode, unlike JavaScript's. */
const OF_TEXT: Classes = {
  flags: 'u',
  hex: /^\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4})/,
  of(letter, inSet) {
    const wrap = (text: string): string => (inSet ? text : `[${text}]`);
    switch (letter) {
      case 'd':
        return '\\p{Nd}';
      case 'D':
        return '\\P{Nd}';
      case 'w':
        return wrap('\\p{L}\\p{N}_');
      case 's':
        return wrap('\\s\\x1c-\\x1f\\x85');
      case 'W':
        return inSet ? undefinedInSet('W') : '[^\\p{L}\\p{N}_]';
      case 'S':
        return inSet ? '\\S' : '[^\\s\\x1c-\\x1f\\x85]';
      default:
        return undefined;
    }
  },
  boundary: (letter) =>
    letter === 'b'
      ? `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`
      : `(?:(?<=${WORD})(?=${WORD})|(?<!${WORD})(?!${WORD}))`,
};

/** Those for bytes: of ASCII alone, and every byte beyond it is none of them. */
const OF_BYTES: Classes = {
  flags: 'aL',
  hex: /^\\x[\da-fA-F]{2}/,
  of(letter, inSet) {
    const members = BYTES[letter];
    return members === undefined || inSet ? members : `[${members}]`;
  },
  boundary: (letter) => `\\${letter}`,
};

const BYTES: Readonly<Record<string, string>> = {
  d: '0-9',
  D: '\\x00-\\x2f\\x3a-\\xff',
  w: '0-9A-Za-z_',
  W: '\\x00-\\x2f\\x3a-\\x40\\x5b-\\x5e\\x60\\x7b-\\xff',
  s: '\\x09-\\x0d\\x20',
  S: '\\x00-\\x08\\x0e-\\x1f\\x21-\\xff',
};

function undefinedInSet(letter: string): string {
  throw new PatternError(`\\${letter} within a set of a regular expression is not supported`);
}
