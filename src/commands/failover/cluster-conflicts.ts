import type { Cluster } from '../../failover/cluster/cluster.ts';
import type { InstanceSpec } from '../../failover/cluster/topology.ts';
import { hostPort } from '../../lib/host-port.ts';
import type { NamedCluster } from './choose-cluster.ts';
import type { ClusterReader } from './cluster-reader.ts';

// What two clusters of an inventory, or two instances of a machine, may not have in common.

/** A cluster as its group: what is read of all of them before one is chosen. */
export interface ClusterGroup extends NamedCluster {
  readonly group: string;
  readonly hosts: readonly string[];
  readonly instances: readonly InstanceSpec[];
}

/** The hosts of HAProxy. */
export function balancerGroupOf(reader: ClusterReader, first: string): string {
  return reader.text(first, 'failover_balancer_group') ?? 'balancers';
}

/** Each cluster has a listener of its own at the balancers; `mysql_listener` of its group names it. */
export function backendOf(reader: ClusterReader, first: string): string {
  const listener = new Map(reader.entries(first, 'mysql_listener'));
  return `${listener.get('name') ?? 'mysql'}_primary`;
}

/** Two clusters of one name would share a lock and a memory; one server in two would have two primaries to follow. */
export function refuseShared(reader: ClusterReader, clusters: readonly ClusterGroup[]): void {
  for (const [index, cluster] of clusters.entries()) {
    for (const before of clusters.slice(0, index)) {
      if (before.name === cluster.name)
        reader.problem(
          cluster.hosts[0] ?? '',
          'failover_cluster',
          `the cluster is called "${cluster.name}", and so is that of the group ${before.group}`,
          'lock, memory and journal of a cluster are kept under its name',
        );
      const [first = ''] = cluster.hosts;
      const [other = ''] = before.hosts;
      if (
        balancerGroupOf(reader, first) === balancerGroupOf(reader, other) &&
        backendOf(reader, first) === backendOf(reader, other)
      )
        reader.problem(
          first,
          'mysql_listener',
          `the balancers have one writer for the clusters ${before.name} and ${cluster.name}, ${backendOf(reader, first)}`,
          'give one of their groups a listener of its own: mysql_listener: { name: NAME, writer: PORT, reader: PORT }',
        );
      for (const spec of cluster.instances) {
        const same = before.instances.find(
          (each) => each.host === spec.host || (each.address === spec.address && each.port === spec.port),
        );
        if (same)
          reader.problem(
            spec.host,
            'mysql_group',
            `${hostPort(spec.address, spec.port)} is in the clusters ${before.name} and ${cluster.name}`,
            'an instance belongs to one cluster; its variable mysql_group names the group of that one',
          );
      }
    }
  }
}

/**
 * Hosts of the inventory that are one machine: its instances differ in unit and port, since a fence stops the one and
 * rejects the other.
 */
export function refuseSameUnits(reader: ClusterReader, specs: readonly InstanceSpec[]): void {
  const machine = (spec: InstanceSpec): string => reader.text(spec.host, 'ansible_host') ?? spec.host;
  for (const [index, spec] of specs.entries()) {
    const others = specs.slice(0, index).filter((each) => machine(each) === machine(spec));
    const sameUnit = others.find((each) => each.unit === spec.unit);
    if (sameUnit)
      reader.problem(
        spec.host,
        'mysql_unit',
        `it is ${spec.unit ?? "the flavour's own"}, as on ${sameUnit.host}, which is the same machine (${machine(spec)})`,
        'each instance of a machine has a unit of its own, like mariadb@db2',
      );
    const samePort = others.find((each) => each.port === spec.port && each.address !== spec.address);
    if (samePort)
      reader.problem(
        spec.host,
        'mysql_port',
        `it is ${spec.port}, as on ${samePort.host}, which is the same machine (${machine(spec)})`,
        'a fence rejects the port, so each instance of a machine has another one',
      );
  }
}

/** An address, and a name that means one, lead to a machine: they cannot tell two instances of one apart. */
export function refuseOneMachine(
  reader: ClusterReader,
  { instances, endpoints }: Pick<Cluster, 'instances' | 'endpoints'>,
): void {
  const kinds = new Set(
    (endpoints ?? []).map(({ kind }) => kind).filter((kind) => kind === 'vip' || kind === 'dns'),
  );
  if (kinds.size === 0) return;
  const machine = (spec: InstanceSpec): string => reader.text(spec.host, 'ansible_host') ?? spec.host;
  for (const [index, spec] of instances.entries()) {
    const other = instances.slice(0, index).find((each) => machine(each) === machine(spec));
    if (other)
      reader.problem(
        spec.host,
        'failover_endpoints',
        `${spec.name} and ${other.name} are on one machine (${machine(spec)}), which a ${[...kinds].join(' or a ')} cannot tell apart`,
        'let writers find them through HAProxy or ProxySQL, or put them on machines of their own',
      );
  }
}
