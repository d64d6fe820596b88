/** A pattern that cannot be used, with the reason. */
export class PatternError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PatternError';
  }
}

export interface PatternOptions {
  readonly multiline?: boolean;
  readonly dotAll?: boolean;
  readonly ignoreCase?: boolean;
  readonly global?: boolean;
  /** Match at the start of the subject only, as Python's `match` does. */
  readonly anchored?: boolean;
}

/**
 * A regular expression of Python's `re` as JavaScript's. Files are matched byte by byte, as Ansible does, so the
 * pattern is put in the bytes of its UTF-8 form: subjects are latin1 text of the bytes (see `toBytesText`).
 */
export function pythonRegex(pattern: string, options: PatternOptions = {}): RegExp {
  let source = toBytesText(pattern);
  let { multiline = false, dotAll = false, ignoreCase = false } = options;
  const inline = /^\(\?([aiLmsux]+)\)/.exec(source);
  if (inline) {
    const letters = inline[1] ?? '';
    if (letters.includes('x')) throw new PatternError('verbose patterns, (?x), are not supported');
    multiline ||= letters.includes('m');
    dotAll ||= letters.includes('s');
    ignoreCase ||= letters.includes('i');
    source = source.slice(inline[0].length);
  }
  const translated = translate(source, multiline, dotAll);
  const flags = `${options.global ? 'g' : ''}${ignoreCase ? 'i' : ''}`;
  try {
    return new RegExp(options.anchored ? `^(?:${translated})` : translated, flags);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*\/: /, '') : String(error);
    throw new PatternError(`'${pattern}' is no valid regular expression: ${reason}`);
  }
}

/** Text as the latin1 characters of its UTF-8 bytes: what byte patterns match against. */
export function toBytesText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function translate(source: string, multiline: boolean, dotAll: boolean): string {
  let out = '';
  let index = 0;
  while (index < source.length) {
    const rest = source.slice(index);
    const character = source[index] ?? '';
    if (character === '\\') {
      const [text, length] = translateEscape(rest);
      out += text;
      index += length;
    } else if (character === '[') {
      const [text, length] = translateClass(rest);
      out += text;
      index += length;
    } else if (rest.startsWith('(?')) {
      const [text, length] = translateGroup(rest);
      out += text;
      index += length;
    } else if (character === '^') {
      out += multiline ? '(?<![^\\n])' : '^';
      index++;
    } else if (character === '$') {
      out += multiline ? '(?![^\\n])' : '(?=\\n?$)';
      index++;
    } else if (character === '.') {
      out += dotAll ? '[^]' : '[^\\n]';
      index++;
    } else if (character === '{') {
      const upTo = /^\{,(\d+)\}/.exec(rest);
      out += upTo ? `{0,${upTo[1]}}` : character;
      index += upTo?.[0].length ?? 1;
    } else {
      out += character;
      index++;
    }
  }
  return out;
}

function translateGroup(rest: string): [string, number] {
  const comment = /^\(\?#[^)]*\)/.exec(rest);
  if (comment) return ['', comment[0].length];
  const named = /^\(\?P<(\w+)>/.exec(rest);
  if (named) return [`(?<${named[1]}>`, named[0].length];
  const reference = /^\(\?P=(\w+)\)/.exec(rest);
  if (reference) return [`\\k<${reference[1]}>`, reference[0].length];
  if (rest.startsWith('(?(')) throw new PatternError('conditional groups, (?(1)…), are not supported');
  const flags = /^\(\?([aiLmsux]+)\)/.exec(rest);
  if (flags) throw new PatternError('flags such as (?i) must stand at the start of a pattern');
  return [rest.slice(0, 2), 2];
}

const SPACE = '\\t\\n\\v\\f\\r ';

function translateEscape(rest: string): [string, number] {
  const next = rest[1] ?? '';
  switch (next) {
    case 'A':
      return ['(?<![^])', 2];
    case 'Z':
      return ['(?![^])', 2];
    case 'a':
      return ['\\x07', 2];
    case 's':
      return [`[${SPACE}]`, 2];
    case 'S':
      return [`[^${SPACE}]`, 2];
    case '':
      throw new PatternError('a backslash stands at the end');
    default:
      return [`\\${next}`, 2];
  }
}

/** A class: `]` first is itself, and `\s` means ASCII spaces. */
function translateClass(rest: string): [string, number] {
  let index = 1;
  let out = '[';
  if (rest[index] === '^') {
    out += '^';
    index++;
  }
  let first = true;
  for (; index < rest.length; index++) {
    const character = rest[index] ?? '';
    if (character === ']' && !first) return [`${out}]`, index + 1];
    first = false;
    if (character === '\\') {
      const next = rest[++index] ?? '';
      if (next === 's') out += SPACE;
      else if (next === 'S') out += '\\S';
      else if (next === 'a') out += '\\x07';
      else out += `\\${next}`;
    } else if (character === ']' || character === '[') {
      out += `\\${character}`;
    } else {
      out += character;
    }
  }
  throw new PatternError('a [ is not closed');
}

/** Python's replacement text: `\1`, `\g<name>`, `\n`. Made for a pattern once, applied to each match. */
export function replacement(template: string): (match: RegExpMatchArray) => string {
  const text = toBytesText(template);
  const parts = [...text.matchAll(/\\(?:g<(\w+)>|([1-9]\d?)|(0\d{0,2}|[0-3][0-7]{2})|([^]))|([^\\]+)/g)];
  return (match) =>
    parts
      .map(([, group, digits, octal, escape, literal]) => {
        if (literal !== undefined) return literal;
        if (group !== undefined) {
          return (/^\d+$/.test(group) ? match[Number(group)] : match.groups?.[group]) ?? '';
        }
        if (digits !== undefined) return match[Number(digits)] ?? '';
        if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
        return ESCAPES[escape ?? ''] ?? `\\${escape ?? ''}`;
      })
      .join('');
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  f: '\f',
  v: '\v',
  b: '\b',
  '\\': '\\',
};
