import type { ReplicationState } from '../../database/state.ts';
import type { Answering, Instance, Topology } from './topology.ts';

/** The heartbeat comes every second: a receiver that has heard nothing for longer than this hears nothing. */
export const HEARD_MS = 2500;

/** What one instance says about the source it replicates from. */
export interface Link {
  /** The source; undefined when no instance of the cluster has the address. */
  readonly source: Instance | undefined;
  readonly address: string;
  /**
   * `hears`: data or heartbeats arrive. `seeks`: the receiver runs and nothing arrives. `stopped`: the receiver does
   * not run.
   */
  readonly state: 'hears' | 'seeks' | 'stopped';
}

/** The link of each replica, by the replica's name. An instance without a link follows none, or does not answer. */
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
  // The inventory does not have an alias, a second address or a VIP. For such an address the identity of the server
  // that answered counts. A replica that was told to follow another host may still report the identity of the one
  // before, so the address is compared first.
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

/** Whether the instance fetches transactions from another one right now. */
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
