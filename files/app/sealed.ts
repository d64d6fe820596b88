import { createHmac, timingSafeEqual } from 'node:crypto';

/** What text is signed for, and with what: a signature for one purpose is worth nothing for another. */
export interface Seal {
  readonly purpose: string;
  readonly key: string;
}

/** The text with its signature behind a dot; the text itself has none. */
export function sealText(text: string, seal: Seal): string {
  return `${text}.${signature(text, seal)}`;
}

/** The text that was sealed, or nothing when it was not by us. */
export function openText(sealed: string | undefined, seal: Seal): string | undefined {
  const [text = '', mark = '', ...more] = sealed?.split('.') ?? [];
  return more.length === 0 && isEqual(mark, signature(text, seal)) ? text : undefined;
}

export function signature(text: string, { purpose, key }: Seal): string {
  return createHmac('sha256', `${purpose}:${key}`).update(text).digest('base64url');
}

/** Compares two texts in a time that says nothing about where they differ. */
export function isEqual(found: string, expected: string): boolean {
  const [one, other] = [found, expected].map((text) => createHmac('sha256', 'length').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
