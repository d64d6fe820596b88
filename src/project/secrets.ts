import { join } from 'node:path';

import { lookUp } from '../run/lookups.ts';
import { SecretRegistry } from '../lib/secret.ts';
import { isDict } from '../lib/value.ts';
import { readYaml } from '../lib/yaml.ts';
import type { TemplateEnvironment } from '../template/environment.ts';
import { Scope } from '../variables/scope.ts';

/** A variable that a password is made for when it is first needed. */
const MAKES_PASSWORD = /lookup\(\s*['"](?:ansible\.builtin\.)?password['"]/;

/**
 * Makes the passwords of a site as its first run would: by the lookups in the playbooks' variables, which keep each in a
 * file of its own that its owner alone may read. Gives the names of the variables.
 */
export function makeSecrets(playbookDirectory: string, inventoryDirectory: string): readonly string[] {
  const variables = readYaml(join(playbookDirectory, 'group_vars', 'all.yml')).value;
  if (!isDict(variables)) return [];
  const secrets = new SecretRegistry();
  const environment: TemplateEnvironment = {
    secrets,
    lookup: (name, terms, options) =>
      lookUp(name, terms, options, {
        playbookDirectory,
        role: undefined,
        variables: scope,
        secrets,
        ahead: false,
        hostsOf: () => [],
        renderTemplate: (source) => source,
      }),
  };
  const scope = new Scope(
    [
      { values: new Map([['inventory_dir', inventoryDirectory]]), written: false },
      { values: variables, written: true },
    ],
    environment,
  );
  const names = [...variables]
    .filter(([, value]) => typeof value === 'string' && MAKES_PASSWORD.test(value))
    .map(([name]) => String(name));
  for (const name of names) scope.get(name);
  return names;
}
