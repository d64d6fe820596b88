import type { Inventory } from '../../inventory/inventory.ts';
import { hostLayers, type VarsDirectories } from '../../inventory/variables.ts';
import { SecretRegistry } from '../../lib/secret.ts';
import type { Dict } from '../../lib/value.ts';
import { Scope } from '../../variables/scope.ts';
import { addressOf } from '../../variables/address.ts';
import type { VariableSource } from '../../template/environment.ts';
import type { HostAddress } from '../../transport/transport.ts';

/** How long a connection may take until a host counts as unreachable. */
export const CONNECT_TIMEOUT_MS = 10_000;

export interface AddressSources {
  /** Of the playbook that runs, if one does. */
  readonly playbookVars?: VarsDirectories | undefined;
  readonly extraVars?: Dict | undefined;
}

/** How the inventory says a host is reached; undefined for one that it does not have. */
export function addressIn(
  inventory: Inventory,
  name: string,
  sources: AddressSources = {},
): HostAddress | 'local' | undefined {
  const variables = variablesIn(inventory, name, sources);
  return (
    variables &&
    addressOf(name, variables, { hostKeyChecking: 'strict', connectTimeoutMs: CONNECT_TIMEOUT_MS })
  );
}

/** The variables by which a host is reached and managed. */
export function variablesIn(
  inventory: Inventory,
  name: string,
  sources: AddressSources = {},
): VariableSource | undefined {
  const host = inventory.hosts.get(name);
  if (!host) return undefined;
  const magic = new Map([
    ['inventory_hostname', name],
    ['inventory_dir', inventory.directory],
  ]);
  const layers = sources.playbookVars ? hostLayers(inventory, sources.playbookVars, name) : host.layers;
  return new Scope(
    [
      { values: sources.extraVars ?? new Map(), written: true },
      { values: magic, written: false },
      ...layers.map((layer) => ({ values: layer.values, written: true })).toReversed(),
    ],
    { secrets: new SecretRegistry() },
  );
}

/** For a transport: finds jump hosts by the names that the inventory gives them. */
export function jumpHostsOf(
  inventory: Inventory,
  sources: AddressSources = {},
): (name: string) => HostAddress | undefined {
  return (name) => {
    const address = addressIn(inventory, name, sources);
    return address === 'local' ? undefined : address;
  };
}
