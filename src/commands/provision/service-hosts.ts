import { dirname, resolve } from 'node:path';

import { settings } from '../../config/settings.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { type Problem, UserError } from '../../lib/errors.ts';
import { SecretRegistry } from '../../lib/secret.ts';
import type { Dict } from '../../lib/value.ts';
import { type SiteVariables, siteVariables } from '../failover/variables.ts';

/** A role, and its variable that lists the hosts which have its service, the preferred one first. */
export interface RoleHosts {
  readonly role: string;
  readonly hosts: string;
  /** What is said where no host has it. */
  readonly missing: (inventory: string) => Problem;
}

/** The hosts that watch the others, and keep their logs. */
export const MONITORING: RoleHosts = {
  role: 'monitoring',
  hosts: 'site_monitoring_hosts',
  missing: (inventory) => ({
    message: `${inventory} has no hosts that watch the others`,
    hint: 'put one into the group monitoring, without site_monitoring: false, and run `provision up` (docs/monitoring.md)',
  }),
};

/** Those hosts, and what the role's variables are there; a `UserError` where there are none. */
export function serviceHosts(
  { role, hosts: variable, missing }: RoleHosts,
  inventory: Inventory,
  extraVars: Dict,
): { readonly hosts: readonly string[]; readonly variables: SiteVariables } {
  const variables = siteVariables({
    inventory,
    playbookDirectory: dirname(resolve(settings().playbook)),
    extraVars,
    secrets: new SecretRegistry(),
    roles: [role],
  });
  const [anyHost] = inventory.hosts.keys();
  const hosts = anyHost === undefined ? [] : variables.of(anyHost).get(variable);
  if (!Array.isArray(hosts) || hosts.length === 0) throw new UserError(missing(inventory.directory));
  return { hosts: hosts.map(String), variables };
}
