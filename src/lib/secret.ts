import { inspect } from 'node:util';

const REDACTED = '[REDACTED]';

/**
 * A value that must not be printed. It shows as `[REDACTED]` wherever it is logged, interpolated or serialised;
 * only `reveal()` gives the value, so every place that uses it can be found by that word.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/** Replaces every occurrence of the given secrets in `text`. Values shorter than 4 characters are left alone. */
export function redact(text: string, secrets: Iterable<string>): string {
  let result = text;
  // Longest first, so that a secret contained in another does not leave a recognisable rest.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length >= 4) result = result.replaceAll(secret, REDACTED);
  }
  return result;
}
