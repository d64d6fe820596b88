import { inspect } from 'node:util';

const REDACTED = '[REDACTED]';

/** Shorter strings are not redacted: they would blot out harmless text, and are no secrets worth the name. */
const MINIMUM_LENGTH = 4;

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

/**
 * The secret strings that a run has seen. The template engine asks it whether a value it reads is secret and adds
 * what it made of it, so a secret stays one through filters; every report passes through `redact`.
 */
export class SecretRegistry {
  readonly #values = new Set<string>();
  #longestFirst: readonly string[] | undefined;

  add(value: string): void {
    if (value.length < MINIMUM_LENGTH || this.#values.has(value)) return;
    this.#values.add(value);
    this.#longestFirst = undefined;
  }

  /** How many secrets are known. */
  get size(): number {
    return this.#values.size;
  }

  has(value: string): boolean {
    return this.#values.has(value);
  }

  /** `text` without any of the secrets. */
  redact(text: string): string {
    // Longest first, so that a secret contained in another does not leave a recognisable rest.
    this.#longestFirst ??= [...this.#values].sort((a, b) => b.length - a.length);
    let result = text;
    for (const secret of this.#longestFirst) result = result.replaceAll(secret, REDACTED);
    return result;
  }
}
