import { LazyDict } from '../lib/lazy-dict.ts';
import type { SecretRegistry } from '../lib/secret.ts';
import { isMapping, isSequence, type Data } from './python/objects.ts';

/** Whether a value is a secret or holds one. Dictionaries that are worked out on demand are not walked through. */
export function holdsSecret(secrets: SecretRegistry, value: Data | undefined): boolean {
  if (typeof value === 'string') return secrets.has(value);
  if (value === null || typeof value !== 'object') return false;
  if (isSequence(value)) return value.some((item) => holdsSecret(secrets, item));
  if (isMapping(value) && !(value instanceof LazyDict)) {
    for (const item of value.values()) if (holdsSecret(secrets, item)) return true;
  }
  return false;
}

/** Makes every text in a value that was made from a secret a secret too. */
export function keepSecret(secrets: SecretRegistry, value: Data): void {
  if (typeof value === 'string') secrets.add(value);
  else if (isSequence(value)) for (const item of value) keepSecret(secrets, item);
  else if (isMapping(value) && !(value instanceof LazyDict))
    for (const item of value.values()) keepSecret(secrets, item);
}
