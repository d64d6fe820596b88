import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';

import { UserError } from '../lib/errors.ts';
import type { Value } from '../lib/value.ts';

/**
 * For whoever only wants to know a password: the lookup `password` would make a new one, which no server knows. To be
 * called before a lookup.
 */
export function keptPasswordsOnly(
  playbookDirectory: string,
): (name: string, terms: readonly Value[]) => void {
  return (name, terms) => {
    if (!/(^|\.)password$/.test(name)) return;
    for (const term of terms) {
      const [path = ''] = String(term).split(' ');
      const file = isAbsolute(path) ? path : resolve(playbookDirectory, path);
      if (existsSync(file)) continue;
      throw new UserError({
        message: `there is no password in ${file}`,
        hint: '`provision up` makes it; run it with this inventory first',
      });
    }
  };
}
