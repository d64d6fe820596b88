import { dirname, join } from 'node:path';

import { settings } from '../../config/settings.ts';
import { loadInventory } from '../../inventory/load.ts';
import { selectHosts } from '../../inventory/select.ts';
import { UserError } from '../../lib/errors.ts';
import type { Dict, Value } from '../../lib/value.ts';
import type { RollOptions } from './roll-options.ts';
import type { SurveyChoice } from './upgrade-survey.ts';

/** The hosts of `provision upgrade` and `reboot` when none are named, as in their playbooks. */
const HOSTS = 'balancers:servers';

/** The hosts that the options mean. */
export function maintenanceChoice(options: RollOptions, signal: AbortSignal): SurveyChoice {
  const inventory = loadInventory(options.inventory);
  const { hosts } = selectHosts(inventory, HOSTS, options.hosts);
  if (hosts.length === 0) throw new UserError(`no host of ${HOSTS} matches "${options.hosts ?? ''}"`);
  return { inventory, path: options.inventory, extraVariables: options.extraVariables, hosts, signal };
}

/** The playbook of that name beside the site's own. */
export function maintenancePlaybook(name: 'reboot' | 'upgrade'): string {
  return join(dirname(settings().playbook), `${name}.yml`);
}

/** What a playbook is told; its hosts come one batch at a time already. */
export function maintenanceVariables(values: readonly (readonly [string, Value])[]): Dict {
  return new Map<string, Value>([...values, ['maintenance_serial', '100%']]);
}
