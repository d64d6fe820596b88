import { createHmac, timingSafeEqual } from 'node:crypto';

/** What text is signed for, and with what: a signature for one purpose is worth nothing for another. */
export interface Seal {
  readonly purpose: string;
  readonly key: string;
}

/** A key that something may still be signed with, while the key is changed. */
export interface OtherKey {
  readonly key: string;
  /** When it is worth nothing any more, in milliseconds since 1970. */
  readonly until: number;
}

/** What tokens are signed with, and with what they may be signed as well. */
export interface Keys {
  readonly key: string;
  readonly otherKeys?: readonly OtherKey[];
}

/** The seals that count now, the one to sign with first. */
export function sealsOf(
  purpose: string,
  { key, otherKeys = [] }: Keys,
  now: number,
): readonly [Seal, ...Seal[]] {
  return [
    { purpose, key },
    ...otherKeys.filter(({ until }) => now < until).map((other) => ({ purpose, key: other.key })),
  ];
}

/** The text with its signature behind a dot; the text itself has none. */
export function sealText(text: string, seal: Seal): string {
  return `${text}.${signature(text, seal)}`;
}

/** The text that was sealed, by one of these, or nothing when it was not by us. */
export function openText(sealed: string | undefined, ...seals: readonly Seal[]): string | undefined {
  const [text = '', mark = '', ...more] = sealed?.split('.') ?? [];
  return more.length === 0 && isSignature(mark, text, seals) ? text : undefined;
}

export function isSignature(found: string, text: string, seals: readonly Seal[]): boolean {
  return seals.some((seal) => isEqual(found, signature(text, seal)));
}

export function signature(text: string, { purpose, key }: Seal): string {
  return createHmac('sha256', `${purpose}:${key}`).update(text).digest('base64url');
}

/** Compares two texts in a time that says nothing about where they differ. */
export function isEqual(found: string, expected: string): boolean {
  const [one, other] = [found, expected].map((text) => createHmac('sha256', 'length').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
