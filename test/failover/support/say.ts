import type { Instance, Topology } from '../../../src/failover/cluster/topology.ts';
import { parseGtids } from '../../../src/database/gtid.ts';
import type { ReplicationState } from '../../../src/database/state.ts';
import type { Flavour } from '../../../src/database/version.ts';
import { healthyState, NOW, uuidOf } from './topology.ts';
import { startOf, uptimeOf, type Node, type Transaction, type ModelServers } from './servers.ts';

/** The whole cluster as the tool sees it. */
export function say(world: ModelServers): Topology {
  return {
    cluster: 'model',
    at: NOW,
    instances: world.all().map((node) => sayOf(world, node)),
    balancers: ['lb1', 'lb2'].map((name) => ({
      name,
      reachable: world.balancers !== 'rejects',
      writers: world.writer === undefined ? [] : [world.writer.replace('db', 'web')],
    })),
    memory: world.memory,
  };
}

function sayOf(world: ModelServers, node: Node): Instance {
  const { flavour } = world;
  const spec = {
    name: node.name,
    host: node.name.replace('db', 'web'),
    address: node.name,
    port: 3306,
    rule: 'neutral' as const,
    dataCentre: node.dataCentre,
  };
  if (!node.up || world.isolated.has(node.name)) {
    const kind = node.up ? 'timeout' : 'refused';
    return { spec, kind: 'silent', silence: { kind, alive: false, message: kind }, ms: 1 };
  }
  const isConnected = world.connected(node) !== undefined;
  return {
    spec,
    kind: 'answering',
    ms: 1,
    state: {
      ...healthyState(flavour, node.name, notation(flavour, node.executed)),
      purged: parseGtids(flavour, notation(flavour, node.purged)),
      uptimeSeconds: uptimeOf(node),
      startedAt: startOf(node),
      readOnly: !node.writable,
      superReadOnly: !node.writable,
      replication: replicationOf(world, node, isConnected),
      semiSync: {
        available: true,
        source: {
          enabled: node.source,
          active: node.source && !node.fellBack,
          ackers: world.ackers(node).length,
          requiredAcks: node.required,
          timeoutMs: node.endless ? 1e12 : 10_000,
          waitsWithoutReplicas: true,
          waiting: node.pending.size,
        },
        replica: { enabled: node.acks, active: isConnected && node.acks },
      },
      longTransactions: node.stalled
        ? [{ id: 7, user: 'app', host: 'web1', seconds: 30, state: 'waiting for handler commit' }]
        : [],
      waitingForAck: [...node.pending.keys()].map((_, index) => ({
        id: index + 1,
        user: 'app',
        host: 'web1',
        seconds: 1,
        state: 'Waiting for semi-sync ACK from replica',
      })),
    },
  };
}

function replicationOf(world: ModelServers, node: Node, isConnected: boolean): ReplicationState | undefined {
  const { flavour } = world;
  const { link } = node;
  if (link === undefined) return undefined;
  return {
    sourceHost: link.source,
    sourcePort: 3306,
    sourceUuid: flavour === 'mysql' ? uuidOf(link.source) : link.source.slice(2),
    autoPosition: true,
    tls: true,
    receiver: !link.receiver ? 'off' : isConnected ? 'on' : 'connecting',
    applier: link.applier ? 'on' : 'off',
    received: parseGtids(flavour, ''),
    position: `binlog.000001 ${node.executed.size + node.relay.length}`,
    backlog: parseGtids(flavour, notation(flavour, new Set(node.relay), true)),
    silentMs: isConnected ? 100 : undefined,
    lagSeconds: isConnected ? (node.lagging && node.relay.length > 0 ? 600 : 0) : undefined,
    delaySeconds: node.delayed ? 3600 : 0,
    filters: [],
    receiverError: link.lacksPurged ? { code: 1236, message: 'purged required binary logs' } : undefined,
    applierError: undefined,
  };
}

/** MariaDB's numbers belong to the domain, so each origin has a domain of its own in the model. */
export function notation(
  flavour: Flavour,
  transactions: ReadonlySet<Transaction>,
  isDifference = false,
): string {
  const byOrigin = new Map<string, number[]>();
  for (const transaction of transactions) {
    const [origin = '', number = ''] = transaction.split(':');
    byOrigin.set(origin, [...(byOrigin.get(origin) ?? []), Number(number)]);
  }
  return [...byOrigin]
    .map(([origin, numbers]) => {
      const sorted = [...numbers].sort((a, b) => a - b);
      if (flavour === 'mysql')
        return `${uuidOf(origin)}:${sorted.map((number) => `${number}-${number}`).join(':')}`;
      return isDifference
        ? `${origin}-${origin}-${sorted[0]}..${sorted.at(-1)}`
        : `${origin}-${origin}-${sorted.at(-1)}`;
    })
    .join(',');
}
