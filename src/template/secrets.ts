import { LazyDict } from '../lib/lazy-dict.ts';
import type { SecretRegistry } from '../lib/secret.ts';
import { isMapping, isSequence, type Data } from './python/objects.ts';

/** Whether a value is a secret or holds one. Of dictionaries that are worked out on demand, what is known counts. */
export function holdsSecret(secrets: SecretRegistry, value: Data | undefined): boolean {
  if (typeof value === 'string') return secrets.has(value);
  if (value === null || typeof value !== 'object') return false;
  if (isSequence(value)) return value.some((item) => holdsSecret(secrets, item));
  if (isMapping(value)) for (const item of knownItems(value)) if (holdsSecret(secrets, item)) return true;
  return false;
}

/** Makes every text in a value that was made from a secret a secret too. */
export function keepSecret(secrets: SecretRegistry, value: Data): void {
  if (typeof value === 'string') secrets.add(value);
  else if (isSequence(value)) for (const item of value) keepSecret(secrets, item);
  else if (isMapping(value)) for (const item of knownItems(value)) keepSecret(secrets, item);
}

function knownItems(value: ReadonlyMap<Data, Data>): Iterable<Data> {
  return value instanceof LazyDict ? value.known() : value.values();
}
