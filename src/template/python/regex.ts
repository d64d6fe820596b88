import { typeFault, type Data } from './objects.ts';

/** Flags of Python's `re`, beside those written into the pattern. */
export interface RegexFlags {
  readonly ignoreCase?: boolean;
  readonly multiline?: boolean;
  readonly dotAll?: boolean;
}

/** A compiled pattern. */
export interface PythonRegex {
  readonly global: RegExp;
  readonly sticky: RegExp;
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
}

const cache = new Map<string, PythonRegex>();

/** Compiles a pattern in Python's syntax. What JavaScript has no equal for is an error. */
export function pythonRegex(pattern: string, flags: RegexFlags = {}): PythonRegex {
  const key = `${flags.ignoreCase ? 'i' : ''}${flags.multiline ? 'm' : ''}${flags.dotAll ? 's' : ''}/${pattern}`;
  let compiled = cache.get(key);
  if (!compiled) {
    compiled = new Translator(pattern, flags).compile();
    if (cache.size > 5000) cache.clear();
    cache.set(key, compiled);
  }
  return compiled;
}

function unsupported(pattern: string, what: string): Error {
  return typeFault(`the regular expression ${JSON.stringify(pattern)}: ${what} is not supported`);
}

class Translator {
  readonly #pattern: string;
  #ignoreCase: boolean;
  #multiline: boolean;
  #dotAll: boolean;
  #verbose = false;
  #at = 0;
  #out = '';
  #groups = 0;
  readonly #names = new Map<string, number>();

  constructor(pattern: string, flags: RegexFlags) {
    this.#pattern = pattern;
    this.#ignoreCase = flags.ignoreCase ?? false;
    this.#multiline = flags.multiline ?? false;
    this.#dotAll = flags.dotAll ?? false;
  }

  compile(): PythonRegex {
    this.#globalFlags();
    while (this.#at < this.#pattern.length) this.#step();
    const flags = `u${this.#ignoreCase ? 'i' : ''}`;
    try {
      return {
        global: new RegExp(this.#out, `g${flags}`),
        sticky: new RegExp(this.#out, `y${flags}`),
        groups: this.#groups,
        names: this.#names,
      };
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/^.*\/[a-z]*: /s, '') : String(error);
      throw typeFault(`the regular expression ${JSON.stringify(this.#pattern)} is wrong: ${reason}`);
    }
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
        else if (flag !== 'u') throw unsupported(this.#pattern, `the flag (?${flag})`);
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
        if (this.#verbose && (/\s/.test(one) || one === '#')) {
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
        throw typeFault(
          `the regular expression ${JSON.stringify(this.#pattern)}: unknown group name '${reference[1]}'`,
        );
      this.#emit(`(?:\\${group})`, reference[0].length);
      return;
    }
    const comment = /^\(\?#[^)]*\)/.exec(rest);
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
    if (scoped) throw unsupported(this.#pattern, 'a flag for a part of the pattern');
    if (rest.startsWith('(?')) throw unsupported(this.#pattern, `the group "${rest.slice(0, 4)}"`);
    this.#groups++;
    this.#emit('(', 1);
  }

  #escape(inSet: boolean): void {
    const next = this.#pattern[this.#at + 1];
    if (next === undefined)
      throw typeFault(`the regular expression ${JSON.stringify(this.#pattern)} ends with a backslash`);
    const classText = classOf(next, inSet);
    if (classText !== undefined) {
      this.#emit(classText, 2);
      return;
    }
    const rest = this.#pattern.slice(this.#at);
    if (!inSet) {
      if (next === 'A') return this.#emit('(?<![\\s\\S])', 2);
      if (next === 'Z') return this.#emit('(?![\\s\\S])', 2);
      if (next === 'b' || next === 'B') return this.#emit(wordBoundary(next), 2);
      const group = /^\\([1-9]\d?)/.exec(rest);
      if (group && !/^\\[0-3][0-7][0-7]/.test(rest)) return this.#emit(`(?:\\${group[1]})`, group[0].length);
    } else if (next === 'b') return this.#emit('\\x08', 2);
    const octal = /^\\(0[0-7]{0,2}|[0-3][0-7][0-7])/.exec(rest);
    if (octal)
      return this.#emit(`\\x${Number.parseInt(octal[1]!, 8).toString(16).padStart(2, '0')}`, octal[0].length);
    const hex = /^\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4})/.exec(rest);
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
        throw typeFault(
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

/** Python's classes of characters: by Unicode, unlike JavaScript's. */
function classOf(letter: string, inSet: boolean): string | undefined {
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
}

function undefinedInSet(letter: string): string {
  throw typeFault(`\\${letter} within a set of a regular expression is not supported`);
}

const WORD = '[\\p{L}\\p{N}_]';

function wordBoundary(letter: string): string {
  return letter === 'b'
    ? `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`
    : `(?:(?<=${WORD})(?=${WORD})|(?<!${WORD})(?!${WORD}))`;
}

/** A replacement text in Python's syntax as a function of the match. */
export function replacement(
  template: string,
  regex: PythonRegex,
): (match: readonly (string | undefined)[]) => string {
  const parts: (string | number)[] = [];
  let literal = '';
  for (let at = 0; at < template.length; at++) {
    const one = template[at]!;
    if (one !== '\\') {
      literal += one;
      continue;
    }
    const rest = template.slice(at);
    const named = /^\\g<([^>]*)>/.exec(rest);
    const octal = /^\\(0[0-7]{0,2}|[0-3][0-7]{2})/.exec(rest);
    const numbered = /^\\([1-9]\d?)/.exec(rest);
    if (named) {
      parts.push(literal, groupNumber(named[1]!, regex));
      literal = '';
      at += named[0].length - 1;
    } else if (octal) {
      literal += String.fromCharCode(Number.parseInt(octal[1]!, 8));
      at += octal[0].length - 1;
    } else if (numbered) {
      parts.push(literal, groupNumber(numbered[1]!, regex));
      literal = '';
      at += numbered[0].length - 1;
    } else {
      const next = template[at + 1];
      const simple = next === undefined ? undefined : REPLACEMENT_ESCAPES[next];
      if (next === undefined) throw typeFault('bad escape (end of pattern) in the replacement');
      if (simple === undefined && /[A-Za-z]/.test(next))
        throw typeFault(`bad escape \\${next} in the replacement`);
      literal += simple ?? `\\${next}`;
      at++;
    }
  }
  parts.push(literal);
  return (match) => parts.map((part) => (typeof part === 'string' ? part : (match[part] ?? ''))).join('');
}

const REPLACEMENT_ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  f: '\f',
  v: '\v',
  a: '\x07',
  b: '\b',
  '\\': '\\',
};

/** The number of a group given by number or name. */
export function groupNumber(name: string, regex: PythonRegex): number {
  const number = /^\d+$/.test(name) ? Number(name) : regex.names.get(name);
  if (number === undefined || number > regex.groups) throw typeFault(`invalid group reference ${name}`);
  return number;
}

/** Whether an argument asks for a flag. */
export function flag(value: Data | undefined): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}
