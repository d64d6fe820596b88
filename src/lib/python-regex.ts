import { PatternError, type PatternOptions, type Translated, translatePattern } from './python-pattern.ts';

/** A compiled pattern. */
export class PythonRegex {
  /** As a JavaScript expression. */
  readonly source: string;
  readonly flags: string;
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
  readonly #global: RegExp;
  readonly #sticky: RegExp;

  constructor(translated: Translated) {
    ({ source: this.source, flags: this.flags, groups: this.groups, names: this.names } = translated);
    this.#global = new RegExp(this.source, `g${this.flags}`);
    this.#sticky = new RegExp(this.source, `y${this.flags}`);
  }

  /** The first match from a place on, as Python's `search`. */
  search(text: string, from = 0): RegExpExecArray | null {
    this.#global.lastIndex = from;
    return this.#global.exec(text);
  }

  /** The match at the very start, as Python's `match`. */
  match(text: string): RegExpExecArray | null {
    this.#sticky.lastIndex = 0;
    return this.#sticky.exec(text);
  }

  all(text: string): RegExpExecArray[] {
    this.#global.lastIndex = 0;
    return [...text.matchAll(this.#global)];
  }
}

const cache = new Map<string, PythonRegex>();

/** Compiles a pattern in Python's syntax. What JavaScript has no equal for is a PatternError. */
export function pythonRegex(pattern: string, options: PatternOptions = {}): PythonRegex {
  const { ignoreCase, multiline, dotAll, bytes } = options;
  const key = `${ignoreCase ? 'i' : ''}${multiline ? 'm' : ''}${dotAll ? 's' : ''}${bytes ? 'b' : ''}/${pattern}`;
  let compiled = cache.get(key);
  if (!compiled) {
    compiled = compile(pattern, options);
    if (cache.size > 5000) cache.clear();
    cache.set(key, compiled);
  }
  return compiled;
}

function compile(pattern: string, options: PatternOptions): PythonRegex {
  const translated = translatePattern(options.bytes ? toBytesText(pattern) : pattern, options);
  try {
    return new PythonRegex(translated);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*\/[a-z]*: /s, '') : String(error);
    throw new PatternError(`the regular expression ${JSON.stringify(pattern)} is wrong: ${reason}`);
  }
}

/** Text as the latin1 characters of its UTF-8 bytes: what byte patterns match against. */
export function toBytesText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** A replacement text in Python's syntax as a function of the match. For bytes, it is one of `toBytesText`. */
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
      if (next === undefined) throw new PatternError('bad escape (end of pattern) in the replacement');
      if (simple === undefined && /[A-Za-z]/.test(next))
        throw new PatternError(`bad escape \\${next} in the replacement`);
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
  if (number === undefined || number > regex.groups)
    throw new PatternError(`invalid group reference ${name}`);
  return number;
}

/** Python's `re.sub`: an empty match right after another match counts too. */
export function substitute(
  regex: PythonRegex,
  text: string,
  by: string,
  most = Number.POSITIVE_INFINITY,
): { readonly result: string; readonly count: number } {
  const make = replacement(by, regex);
  let result = '';
  let last = 0;
  let count = 0;
  for (const match of regex.all(text)) {
    if (count >= most) break;
    result += text.slice(last, match.index) + make(match);
    last = match.index + match[0].length;
    count++;
  }
  return { result: result + text.slice(last), count };
}

/** A Python pattern as POSIX's extended form, which grep on any target has; undefined when it cannot be said there. */
export function toExtendedRegex(pattern: string): string | undefined {
  // Look-around, names, lazy quantifiers and back references have no counterpart.
  if (/\(\?(?!:)|[*+?}]\?|\\[1-9AZbB]/.test(pattern)) return undefined;
  const classes: Readonly<Record<string, string>> = {
    '\\d': '[0-9]',
    '\\D': '[^0-9]',
    '\\s': '[[:space:]]',
    '\\S': '[^[:space:]]',
    '\\w': '[[:alnum:]_]',
    '\\W': '[^[:alnum:]_]',
    '\\t': '\t',
    '(?:': '(',
  };
  // Within brackets, escapes mean something else in both; they are refused there.
  if (/\[[^\]]*\\/.test(pattern)) return undefined;
  return pattern.replaceAll(
    /\\.|\(\?:/g,
    (part) => classes[part] ?? (/^\\[A-Za-z0-9]$/.test(part) ? part.slice(1) : part),
  );
}
