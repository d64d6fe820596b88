import type { JournalRow } from '../../database/server.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { InstanceSpec } from '../cluster/topology.ts';
import type { HookEvent, Ports } from '../reach/ports.ts';
import type { Done } from './outcome.ts';

/** What the executor needs to carry an action out. */
export interface ActionContext {
  readonly cluster: Cluster;
  readonly ports: Ports;
  /** The row that is written through the new primary to prove that the change has arrived everywhere. */
  readonly row: JournalRow;
  /** What the hooks are told about the change. */
  readonly event: HookEvent;
  /** Balancers that did not answer before the change began; no step waits for those that check by themselves. */
  readonly silentBalancers: ReadonlySet<string>;
  readonly progress?: ((instance: string, line: string) => void) | undefined;
}

export async function said(work: Promise<void>): Promise<Done> {
  await work;
  return {};
}

export function known<T>(all: ReadonlyMap<string, T>, name: string): T {
  const one = all.get(name);
  if (one === undefined) throw new Error(`a plan names ${name}, which the cluster does not have`);
  return one;
}

export function specOf(cluster: Cluster, name: string): InstanceSpec {
  const spec = cluster.instances.find((instance) => instance.name === name);
  if (!spec) throw new Error(`a plan names ${name}, which the cluster does not have`);
  return spec;
}
