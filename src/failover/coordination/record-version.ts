import { UserError } from '../../lib/errors.ts';

/**
 * The format in which this release writes records (memory, lock, journal, messages between an operator and the keeper
 * of the files). It grows when an older release would misread a record or lose a part of it; keys that an older release
 * may leave alone do not change it. Records without a version are of format 1.
 */
export const RECORD_VERSION = 1;

/** A record as it is stored. */
export function stamped<T extends object>(record: T): T & { readonly version: number } {
  return { version: RECORD_VERSION, ...record };
}

/** A newer release wrote the record, so this one has to be upgraded. */
export class NewerRelease extends UserError {}

/** Rejects a record of a newer release with a `UserError`: this release neither acts on it nor overwrites it. */
export function refuseNewer(record: unknown, where: string): void {
  if (typeof record !== 'object' || record === null || !('version' in record)) return;
  const { version } = record;
  if (version === undefined) return;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    throw new UserError({
      message: `${where} cannot be read: version: expected a whole number from 1 on, found ${JSON.stringify(version)}`,
      hint: 'restore it from a copy, or remove it: then what it remembered is forgotten',
    });
  }
  if (version <= RECORD_VERSION) return;
  throw new NewerRelease({
    message: `${where} was written by a newer release of failover (format ${version}; this one reads formats up to ${RECORD_VERSION})`,
    hint: 'nothing was done; upgrade this one: the package on an operator’s machine, `provision up` for the watch on the balancers (docs/upgrading.md)',
  });
}
