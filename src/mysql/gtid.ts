import type { Flavour } from './version.ts';

/** A set of transactions, in the notation of its flavour. Made by `parseGtids`; never changed. */
export interface Gtids {
  readonly flavour: Flavour;
  /** Canonical: two equal sets have the same text. */
  toString(): string;
}
