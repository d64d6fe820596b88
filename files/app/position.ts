import { openText, sealText } from './sealed.ts';

/**
 * Up to where a visitor must see the database to find their own writes: a GTID that a replica can wait for, or
 * `primary` when it is not known, so that only the primary will do.
 */
export type Position = { readonly kind: 'gtid'; readonly gtid: string } | { readonly kind: 'primary' };

/** Any replica has caught up or fallen out of the balancer long before. */
export const POSITION_SECONDS = 60;

const PURPOSE = 'position';
const GTID = /^[0-9a-z:-]{1,80}$/i;

/** The position as a cookie's value, signed: what a replica is asked to wait for is ours, not a stranger's. */
export function sealPosition(position: Position, key: string): string {
  return sealText(position.kind === 'gtid' ? position.gtid : 'primary', { purpose: PURPOSE, key });
}

/** The position in a cookie's value, or nothing when it was not sealed by us. */
export function openPosition(sealed: string | undefined, key: string): Position | undefined {
  const text = openText(sealed, { purpose: PURPOSE, key });
  if (text === undefined || !GTID.test(text)) return undefined;
  return text === 'primary' ? { kind: 'primary' } : { kind: 'gtid', gtid: text };
}
