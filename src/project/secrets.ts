import { join } from 'node:path';

import type { Inventory } from '../inventory/inventory.ts';
import { isDict } from '../lib/value.ts';
import { readYaml } from '../lib/yaml.ts';
import { knownSite } from '../variables/known-site.ts';

/** Nothing keeps the lookup from making a password: that is what it is asked for. */
const makesThem = (): void => {};

/** A variable that a password is made for when it is first needed. */
const MAKES_PASSWORD = /lookup\(\s*['"](?:ansible\.builtin\.)?password['"]/;

/**
 * Makes the passwords of a site as its first run would: by the lookups in the playbooks' variables, which keep each in a
 * file of its own that its owner alone may read. Gives the names of the variables.
 */
export function makeSecrets(playbookDirectory: string, inventory: Inventory): readonly string[] {
  const variables = readYaml(join(playbookDirectory, 'group_vars', 'all.yml')).value;
  if (!isDict(variables)) return [];
  const [host = 'localhost'] = inventory.hosts.keys();
  const scope = knownSite({ inventory, playbookDirectory, beforeLookup: makesThem }).variablesOf(host);
  const names = [...variables]
    .filter(([, value]) => typeof value === 'string' && MAKES_PASSWORD.test(value))
    .map(([name]) => String(name));
  for (const name of names) scope.get(name);
  return names;
}
