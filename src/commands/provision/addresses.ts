import { dirname, resolve } from 'node:path';

import { settings } from '../../config/settings.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { VarsDirectories } from '../../inventory/variables.ts';
import type { Dict } from '../../lib/value.ts';
import type { Play } from '../../playbook/ast.ts';
import type { HostAddress } from '../../transport/transport.ts';
import { addressOf } from '../../variables/address.ts';
import { type KnownSite, knownSite, type KnownSiteOptions } from '../../variables/known-site.ts';
import type { CommandView } from '../../variables/magic.ts';

/** How long a connection may take until a host counts as unreachable. */
export const CONNECT_TIMEOUT_MS = 10_000;

export interface AddressSources {
  /** Beside the playbook that runs; without one, the playbook of `provision up` counts. */
  readonly playbookVars?: VarsDirectories | undefined;
  readonly extraVars?: Dict | undefined;
  readonly command?: Partial<CommandView> | undefined;
  /** The play that connects, if it is known. */
  readonly play?: Play | undefined;
  readonly beforeLookup?: KnownSiteOptions['beforeLookup'];
}

/** The hosts of an inventory, by the variables with which a run would reach and manage them. */
export interface Addresses {
  readonly site: KnownSite;
  /** How a host is reached; undefined for one that the inventory does not have. */
  readonly of: (name: string) => HostAddress | 'local' | undefined;
  /** For a transport: finds jump hosts by the names that the inventory gives them. */
  readonly jumpHost: (name: string) => HostAddress | undefined;
}

export function addressesIn(inventory: Inventory, sources: AddressSources = {}): Addresses {
  const { playbookVars, extraVars, command, play } = sources;
  const site = knownSite({
    inventory,
    playbookDirectory: playbookVars?.directory ?? dirname(resolve(settings().playbook)),
    playbookVars,
    extraVars,
    command,
    beforeLookup: sources.beforeLookup,
    play: play && { name: play.name?.text, vars: play.vars, roles: play.roles },
  });
  const of = (name: string): HostAddress | 'local' | undefined =>
    inventory.hosts.has(name)
      ? addressOf(name, site.variablesOf(name), {
          hostKeyChecking: 'strict',
          connectTimeoutMs: CONNECT_TIMEOUT_MS,
        })
      : undefined;
  return {
    site,
    of,
    jumpHost(name) {
      const address = of(name);
      return address === 'local' ? undefined : address;
    },
  };
}
