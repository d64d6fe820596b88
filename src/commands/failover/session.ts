import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { EXIT, UserError } from '../../lib/errors.ts';
import { SecretRegistry } from '../../lib/secret.ts';
import type { Cluster } from '../../failover/cluster/cluster.ts';
import { endpointSecrets } from '../../failover/cluster/endpoint.ts';
import type { Coordination } from '../../failover/coordination/coordination.ts';
import { EMPTY_MEMORY } from '../../failover/coordination/empty-memory.ts';
import { observe, type ObserveOptions } from '../../failover/reach/observe.ts';
import type { OpenCluster } from '../../failover/reach/open-cluster.ts';
import type { Topology } from '../../failover/cluster/topology.ts';
import type { Become, Connection } from '../../transport/transport.ts';
import { settings } from '../../config/settings.ts';
import type { StoreHost } from '../../session-store/member.ts';
import { chosenCluster, chosenClusters } from './choose-cluster.ts';
import type { ClusterOptions, InventoryCluster } from './cluster.ts';
import type { ClusterChoice } from './options.ts';

/** One run of a command: the cluster, and the ways to it. */
export interface Session {
  readonly cluster: Cluster;
  readonly ports: OpenCluster;
  /** Nothing that was read as a secret is printed. */
  readonly redact: (text: string) => string;
  /** The inventory's directory; for a daemon, where its files are. */
  readonly directory: string;
  /** The hosts that carry the members of etcd, by endpoint, as far as an inventory has them. */
  readonly storeHosts: ReadonlyMap<string, string>;
  /** SSH to a host as an operator; undefined for a daemon. */
  readonly shell: ((host: string) => Promise<{ connection: Connection; become: Become }>) | undefined;
  /** The hosts of the store of sessions, as far as they are this cluster's; empty: there is none, or nobody may ask. */
  readonly sessionStore: readonly StoreHost[];
  close(): Promise<void>;
}

/** A cluster that is meant: its name, and how all ways to it are opened. */
export interface Openable {
  readonly name: string;
  /** Rejects when its description is wrong, or nothing of it can be reached. */
  readonly open: () => Promise<Session>;
}

/** Reads the description of the one cluster that is meant and opens all ways to it. */
export async function openSession(choice: ClusterChoice): Promise<Session> {
  if (choice.description !== undefined) {
    const { descriptionsAt } = await import('../../failover/cluster/descriptions.ts');
    const clusters = descriptionsAt(choice.description);
    return await daemonSession(chosenCluster(clusters, choice).read(), choice);
  }
  const [{ inventoryCluster }] = await Promise.all([import('./cluster.ts'), operatorModules()]);
  return await operatorSession(inventoryCluster(placeOf(choice)), choice);
}

/** Every cluster that is meant: all, when none was chosen. */
export async function openableClusters(choice: ClusterChoice): Promise<readonly Openable[]> {
  if (choice.description !== undefined) {
    const { descriptionsAt } = await import('../../failover/cluster/descriptions.ts');
    return chosenClusters(descriptionsAt(choice.description), choice).map(({ name, read }) => ({
      name,
      open: async () => await daemonSession(read(), choice),
    }));
  }
  const [{ inventoryClusters }] = await Promise.all([import('./cluster.ts'), operatorModules()]);
  return inventoryClusters(placeOf(choice)).map(({ name, describe }) => ({
    name,
    open: async () => await operatorSession(describe(), choice),
  }));
}

/** Loaded while the inventory is read. */
const operatorModules = () =>
  Promise.all([import('../../transport/ssh.ts'), import('../../failover/reach/open-cluster.ts')]);

function placeOf(choice: ClusterChoice): ClusterOptions {
  return { ...choice, playbook: settings().playbook };
}

/** Does the work with an open session, and closes it whatever happens. */
export async function withSession<T>(
  choice: ClusterChoice,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(choice);
  try {
    await session.ports.ready();
    return await work(session);
  } finally {
    await session.close();
  }
}

/** For commands that only look at, or change, what the cluster remembers. */
export async function withCoordination<T>(
  choice: ClusterChoice,
  work: (coordination: Coordination, cluster: Cluster) => Promise<T>,
): Promise<T> {
  const session = await openSession(choice);
  try {
    // Files are here; a store is behind the balancers.
    if (session.cluster.etcd.length > 0) await session.ports.ready();
    return await work(session.ports.coordination, session.cluster);
  } finally {
    await session.close();
  }
}

/** A cluster as it is read without changing anything. */
export interface Look {
  readonly topology: Topology;
  readonly ms: number;
}

/**
 * Reads the topology. Who only looks must see the servers also when the store of the memory is down: it then says so
 * on stderr, and shows what the servers say.
 */
export async function look(session: Session, options: ObserveOptions = {}): Promise<Look> {
  const startedAt = performance.now();
  let lost: UserError | undefined;
  const memory = session.ports.coordination.memory().catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    lost = error;
    return EMPTY_MEMORY;
  });
  const topology = await observeSomebody(session, { ...options, memory });
  if (lost) {
    process.stderr.write(
      session.redact(`warning: what the cluster remembers cannot be read: ${lost.message}\n`),
    );
  }
  return { topology, ms: performance.now() - startedAt };
}

/** How long all may be silent until that is believed: a slow way to them looks the same at first. */
const SILENCE_MS = 8000;
const SILENCE_PAUSE_MS = 200;

/** Observes again for a while when nobody answers at all: more often that is us, or the way, than all of them. */
export async function observeSomebody(
  { cluster, ports }: Pick<Session, 'cluster' | 'ports'>,
  options: ObserveOptions = {},
): Promise<Topology> {
  const until = performance.now() + SILENCE_MS;
  for (let how = options; ; how = { ...options, patience: undefined }) {
    const topology = await observe(cluster, ports, how);
    const isHeard = topology.instances.some((instance) => instance.kind === 'answering');
    if (isHeard || performance.now() > until) return topology;
    await wait(SILENCE_PAUSE_MS, undefined, { signal: options.signal });
  }
}

/** Rejects when nobody of the cluster answers: then there is nothing to show or to decide. */
export function mustAnswer(topology: Topology): void {
  if (topology.instances.some((instance) => instance.kind === 'answering')) return;
  throw new UserError(
    {
      message: [
        `no instance of ${topology.cluster} answers:`,
        ...topology.instances.map(
          ({ spec, ...rest }) =>
            `  ${spec.name}: ${rest.kind === 'silent' ? rest.silence.message : 'it answers'}`,
        ),
      ].join('\n'),
      hint: 'is it the network, or the balancers? `provision doctor` tries each host',
    },
    { exitCode: EXIT.unreachable },
  );
}

async function operatorSession(found: InventoryCluster, choice: ClusterChoice): Promise<Session> {
  const [{ sshTransport }, { openThroughBalancers }] = await operatorModules();
  const { secrets, becomeOf, directory } = found;
  const cluster = withoutStore(found.cluster, choice);
  if (cluster.balancers.length === 0) {
    throw new UserError({
      message: `the inventory ${choice.inventory} has no balancers, through which the instances are reached`,
      hint: 'the variable failover_balancer_group names their group; without it, it is "balancers"',
    });
  }
  const ssh = sshTransport({ hosts: found.addressOf, keepaliveIntervalMs: 2000 });
  const connect = async (host: string): Promise<Connection> => {
    const address = found.addressOf(host);
    if (!address) throw new UserError(`the inventory has no host "${host}"`);
    return await ssh.connect(address);
  };
  const ports = await openThroughBalancers({
    cluster,
    connect,
    becomeOf,
    directory,
    hooks: await hooksOf(cluster, (text) => secrets.redact(text)),
    keeper:
      cluster.etcd.length === 0 && !choice.withoutStore && found.keeper
        ? { ...found.keeper, isOnly: found.isOnly }
        : undefined,
  });
  return {
    cluster,
    ports,
    directory,
    storeHosts: found.storeHosts,
    redact: (text) => secrets.redact(text),
    sessionStore: found.sessionStore,
    shell: async (host) => ({ connection: await connect(host), become: becomeOf(host) }),
    close: async () => {
      await ports.close();
      await ssh.close();
    },
  };
}

async function daemonSession(described: Cluster, choice: ClusterChoice): Promise<Session> {
  const { openDirectly } = await import('../../failover/reach/open-cluster.ts');
  const cluster = withoutStore(described, choice);
  const secrets = new SecretRegistry();
  for (const account of Object.values(cluster.accounts)) secrets.add(account?.password.reveal() ?? '');
  for (const secret of endpointSecrets(cluster.endpoints)) secrets.add(secret.reveal());
  const redact = (text: string): string => secrets.redact(text);
  const ports = await openDirectly({
    cluster,
    hooks: await hooksOf(cluster, redact),
    // The connections that the watch keeps open serve whoever works beside it, too.
    controlDirectory: controlDirectory(),
  });
  return {
    cluster,
    ports,
    directory: dirname(choice.cluster ?? ''),
    storeHosts: new Map(),
    redact,
    shell: undefined,
    sessionStore: [],
    close: async () => await ports.close(),
  };
}

/** Where shared SSH connections have their sockets: of the service that this is, or of the watch while it runs. */
export function controlDirectory(): string | undefined {
  const own = process.env['RUNTIME_DIRECTORY'] ?? '/run/understudy';
  return existsSync(own) ? own : undefined;
}

/** With its store lost, the lock and the journal are files. */
function withoutStore(cluster: Cluster, choice: ClusterChoice): Cluster {
  return choice.withoutStore ? { ...cluster, etcd: [] } : cluster;
}

async function hooksOf(cluster: Cluster, redact: (text: string) => string): Promise<OpenCluster['hooks']> {
  if (Object.keys(cluster.settings.hooks).length === 0) return async () => {};
  const { hookRunner } = await import('../../failover/reach/hooks.ts');
  return hookRunner(cluster.settings.hooks, { redact });
}
