import type { Links } from './links.ts';
import type { Answering, Topology } from './topology.ts';

/**
 * The replicas outside the inventory that may acknowledge to this primary, as SHOW REPLICAS reports them. None when
 * every acknowledgement can come from an instance of the cluster: other readers of the binary log do not matter.
 */
export function strangeAckers(topology: Topology, links: Links, primary: Answering): readonly string[] {
  const { replicas, semiSync } = primary.state;
  const { enabled, ackers } = semiSync.source;
  if (!enabled) return [];
  const others = topology.instances.filter((instance) => instance !== primary);
  const uuids = new Set(others.flatMap((one) => (one.kind === 'answering' ? [one.state.uuid] : [])));
  const addresses = new Map(
    others.flatMap(({ spec }) =>
      [spec.name, spec.host, spec.address].map(
        (host) => [`${host}:${spec.port}`.toLowerCase(), spec.name] as const,
      ),
    ),
  );
  const active = others.filter(
    (one) =>
      one.kind === 'answering' &&
      one.state.semiSync.replica.active &&
      links.get(one.spec.name)?.source === primary,
  );
  // The primary may list and count a replica for a while after it stopped answering.
  const silent = new Set(others.filter(({ kind }) => kind === 'silent').map(({ spec }) => spec.name));
  let lingering = 0;
  const strangers: string[] = [];
  for (const { uuid, address } of replicas) {
    if (uuids.has(uuid)) continue;
    const name = addresses.get(address.toLowerCase());
    const isNameless = address.startsWith(':');
    if (name !== undefined || (isNameless && lingering < silent.size)) {
      if (isNameless || silent.has(name ?? '')) lingering++;
      continue;
    }
    strangers.push(isNameless ? `the replica ${uuid}, which reports no host` : address);
  }
  const excess = ackers - active.length - lingering;
  if (excess <= 0) return [];
  if (strangers.length > 0) return strangers;
  // A replica that SHOW REPLICAS does not list: there are more ackers than instances.
  return ackers > others.length ? ['a replica that does not report itself'] : [];
}
