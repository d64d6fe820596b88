import type { SecretRegistry } from '../lib/secret.ts';
import type { EventSink } from './events.ts';

/** A sink that gets events without the secrets that the run has seen, whichever text they stand in. */
export function redacting(sink: EventSink, secrets: SecretRegistry): EventSink {
  return (event) => sink(secrets.size === 0 ? event : clean(event, secrets));
}

function clean<Part>(part: Part, secrets: SecretRegistry): Part {
  if (typeof part === 'string') return secrets.redact(part) as Part;
  if (Array.isArray(part)) return part.map((item: unknown) => clean(item, secrets)) as Part;
  if (part === null || typeof part !== 'object') return part;
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, clean<unknown>(value, secrets)]),
  ) as Part;
}
