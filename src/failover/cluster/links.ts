import type { ReplicationState } from '../../database/state.ts';
import type { Answering, Instance, Topology } from './topology.ts';

/** The heartbeat comes every second: who has heard nothing for longer than this hears nothing. */
export const HEARD_MS = 2500;

/** What one instance says about the source it replicates from. */
export interface Link {
  /** Undefined: an address that no instance of the cluster has. */
  readonly source: Instance | undefined;
  readonly address: string;
  /** `hears`: data or heartbeats come; `seeks`: the receiver runs and nothing comes; `stopped`: it does not run. */
  readonly state: 'hears' | 'seeks' | 'stopped';
}

/** Who follows whom, by the name of the follower. An instance without a link is nobody's replica, or silent. */
export type Links = ReadonlyMap<string, Link>;

/** Derives every link of a snapshot. */
export function linksOf(topology: Topology): Links {
  const byAddress = new Map<string, Instance>();
  const byIdentity = new Map<string, Instance>();
  for (const instance of topology.instances) {
    const { spec } = instance;
    for (const host of [spec.name, spec.host, spec.address])
      byAddress.set(`${host.toLowerCase()}:${spec.port}`, instance);
    const identity =
      instance.kind === 'answering' ? instance.state.uuid : topology.memory.identities?.[spec.name];
    if (identity !== undefined) byIdentity.set(identity.toLowerCase(), instance);
  }
  // An alias, another address or a VIP is nobody's in the inventory: there it counts which server has answered. Whoever is
  // told to follow another host may still say the identity of the one before, so the address comes first.
  const sourceOf = ({ sourceHost, sourcePort, sourceUuid }: ReplicationState): Instance | undefined =>
    byAddress.get(`${sourceHost.toLowerCase()}:${sourcePort}`) ?? byIdentity.get(sourceUuid.toLowerCase());
  const links = new Map<string, Link>();
  for (const instance of topology.instances) {
    const replication = instance.kind === 'answering' ? instance.state.replication : undefined;
    if (replication === undefined) continue;
    const { sourceHost, sourcePort, receiver, silentMs } = replication;
    const address = `${sourceHost}:${sourcePort}`;
    const state =
      receiver === 'off'
        ? 'stopped'
        : receiver === 'on' && (silentMs === undefined || silentMs < HEARD_MS)
          ? 'hears'
          : 'seeks';
    links.set(instance.spec.name, { source: sourceOf(replication), address, state });
  }
  return links;
}

/** Does it ask another instance for transactions right now? */
export function isFollowing(links: Links, instance: Instance): boolean {
  const link = links.get(instance.spec.name);
  return link !== undefined && link.state !== 'stopped';
}

/** The instances that answer and are configured to follow this one. */
export function followersOf(topology: Topology, links: Links, name: string): readonly Answering[] {
  return topology.instances.filter(
    (instance): instance is Answering =>
      instance.kind === 'answering' && links.get(instance.spec.name)?.source?.spec.name === name,
  );
}
