import { withoutCopied } from '../../../src/failover/cluster/copies.ts';
import type { Instance, InstanceSpec, Topology } from '../../../src/failover/cluster/topology.ts';
import { noGtids, parseGtids, type Gtids } from '../../../src/database/gtid.ts';
import type { InstanceState, ReplicationState } from '../../../src/database/state.ts';
import type { Flavour } from '../../../src/database/version.ts';
import { healthyState, NOW, uuidOf } from './topology.ts';
import { startOf, uptimeOf, type Node, type Transaction, type ModelServers } from './servers.ts';

const NOTHING = { mysql: noGtids('mysql'), mariadb: noGtids('mariadb') };
const idleStates = new Map<string, InstanceState>();

/** The whole cluster as the tool sees it. */
export function say(world: ModelServers): Topology {
  return {
    cluster: 'model',
    at: NOW,
    instances: withoutCopied(
      world.all().map((node) => sayOf(world, node)),
      world.memory,
      NOW,
    ),
    balancers: ['lb1', 'lb2'].map((name) => ({
      name,
      reachable: world.balancers !== 'rejects',
      writers: world.writer === undefined ? [] : [world.writer.replace('db', 'web')],
    })),
    memory: world.memory,
  };
}

/** What the inventory says about it. */
export function specOf(node: Node): InstanceSpec {
  return {
    name: node.name,
    host: node.name.replace('db', 'web'),
    address: node.name,
    port: 3306,
    rule: 'neutral',
    dataCentre: node.dataCentre,
  };
}

/** One instance as the tool sees it. */
export function sayOf(world: ModelServers, node: Node): Instance {
  const { flavour } = world;
  const spec = specOf(node);
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
      ...idleState(flavour, node.name),
      executed: gtidsOf(flavour, node.executed),
      purged: gtidsOf(flavour, node.purged),
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
    received: NOTHING[flavour],
    position: `binlog.000001 ${node.executed.size + node.relay.length}`,
    backlog: gtidsOf(flavour, new Set(node.relay), true),
    silentMs: isConnected ? 100 : undefined,
    lagSeconds: isConnected ? (node.lagging && node.relay.length > 0 ? 600 : 0) : undefined,
    delaySeconds: node.delayed ? 3600 : 0,
    filters: [],
    receiverError: link.lacksPurged ? { code: 1236, message: 'purged required binary logs' } : undefined,
    applierError: undefined,
  };
}

/** What is the same of every server in every snapshot, made once. */
function idleState(flavour: Flavour, name: string): InstanceState {
  const key = `${flavour} ${name}`;
  const known = idleStates.get(key);
  if (known !== undefined) return known;
  const made = healthyState(flavour, name, '');
  idleStates.set(key, made);
  return made;
}

function gtidsOf(flavour: Flavour, transactions: ReadonlySet<Transaction>, isDifference = false): Gtids {
  if (transactions.size === 0) return NOTHING[flavour];
  return parseGtids(flavour, notation(flavour, transactions, isDifference));
}

/** MariaDB's numbers belong to the domain, so each origin has a domain of its own in the model. */
export function notation(
  flavour: Flavour,
  transactions: ReadonlySet<Transaction>,
  isDifference = false,
): string {
  const byOrigin = new Map<string, number[]>();
  for (const transaction of transactions) {
    const colon = transaction.indexOf(':');
    const origin = transaction.slice(0, colon);
    const number = Number(transaction.slice(colon + 1));
    const known = byOrigin.get(origin);
    if (known) known.push(number);
    else byOrigin.set(origin, [number]);
  }
  const parts: string[] = [];
  for (const [origin, numbers] of byOrigin) {
    numbers.sort((a, b) => a - b);
    const last = numbers.at(-1);
    if (flavour === 'mysql') parts.push(`${uuidOf(origin)}:${intervalsOf(numbers).join(':')}`);
    else if (isDifference) parts.push(`${origin}-${origin}-${numbers[0]}..${last}`);
    else parts.push(`${origin}-${origin}-${last}`);
  }
  return parts.join(',');
}

/** Sorted numbers, those that follow each other together. */
function intervalsOf(numbers: readonly number[]): readonly string[] {
  const intervals: string[] = [];
  for (let index = 0; index < numbers.length; index++) {
    const from = numbers[index] as number;
    while (numbers[index + 1] === (numbers[index] as number) + 1) index++;
    intervals.push(`${from}-${numbers[index]}`);
  }
  return intervals;
}
