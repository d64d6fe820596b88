import type { Inventory } from '../../inventory/inventory.ts';
import { parseEndpoint } from '../../failover/coordination/etcd-http.ts';
import type { Value } from '../../lib/value.ts';

/** What a host's own addresses may be set by. */
const ADDRESSES = ['ansible_host', 'back_address', 'front_address', 'mysql_address'] as const;

/**
 * The hosts that carry the members of the store, by endpoint as it is written: by a host's name, any of its addresses, or
 * what `etcd_addresses` says. A member that no host of the inventory carries is not in it.
 */
export function storeHosts(
  endpoints: readonly string[],
  inventory: Inventory,
  variablesOf: (host: string) => { get(name: string): Value | undefined },
  members: readonly (readonly [host: string, address: string])[],
): ReadonlyMap<string, string> {
  const hostAt = new Map<string, string>();
  for (const host of inventory.hosts.keys()) {
    const variables = variablesOf(host);
    for (const address of [host, ...ADDRESSES.map((name) => variables.get(name))])
      if (typeof address === 'string') hostAt.set(address, host);
  }
  for (const [host, address] of members) hostAt.set(address, host);
  return new Map(
    endpoints.flatMap((endpoint) => {
      const host = hostAt.get(parseEndpoint(endpoint).address);
      return host === undefined ? [] : [[endpoint, host] as const];
    }),
  );
}
