import { quote } from '../lib/shell.ts';

/**
 * Fact scripts speak in NUL-terminated fields, since nothing else can be told from the bytes of a file name.
 * They run in a subshell of their own, so that neither variables nor positional parameters leak into other scripts.
 */
export function subshell(lines: readonly string[]): string {
  return ['(', 'export LC_ALL=C', ...lines, ')', ''].join('\n');
}

/** The NUL-terminated fields that a script printed, as text. */
export function fields(stdout: Buffer): string[] {
  const parts = stdout.toString('utf8').split('\0');
  parts.pop();
  return parts;
}

/** `set --` with the words as positional parameters. */
export function positional(words: readonly string[]): string {
  return ['set --', ...words.map(quote)].join(' ');
}

/** Cuts a list into pieces that are safe to pass as arguments of one process. */
export function chunks<Item>(items: readonly Item[], size = 200): Item[][] {
  const result: Item[][] = [];
  for (let start = 0; start < items.length; start += size) result.push(items.slice(start, start + size));
  return result;
}

/** Takes fields one after the other and says clearly when a script printed fewer than it should have. */
export class FieldReader {
  readonly #fields: readonly string[];
  readonly #kind: string;
  #next = 0;

  constructor(kind: string, stdout: Buffer) {
    this.#kind = kind;
    this.#fields = fields(stdout);
  }

  next(): string {
    const field = this.#fields[this.#next];
    if (field === undefined) {
      throw new Error(`the ${this.#kind} fact script ended after ${this.#next} fields`);
    }
    this.#next++;
    return field;
  }

  /** The lines of the next field. */
  lines(): string[] {
    const text = this.next();
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines;
  }

  get done(): boolean {
    return this.#next >= this.#fields.length;
  }
}
