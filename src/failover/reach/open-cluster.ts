import { readFileSync } from 'node:fs';
import { hostPort } from '../../lib/host-port.ts';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';

import type { RunScript } from '../../balancer/dns.ts';
import type { Dial } from '../../lib/dial.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { run } from '../../lib/process.ts';
import type { Become, Connection } from '../../transport/transport.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Coordination } from '../coordination/coordination.ts';
import { fileCoordination } from '../coordination/file.ts';
import { remoteCoordination } from '../coordination/remote.ts';
import { balancerWay } from './balancer-way.ts';
import { DialError, dialThroughAny } from './dialler.ts';
import type { Machine } from './machine.ts';
import { agentMachine, agentVerbs } from './machine-agent.ts';
import { operatorMachine, operatorVerbs } from './machine-operator.ts';
import { openBalancers } from './open-balancers.ts';
import type { HookRunner, Ports } from './ports.ts';
import { openServers } from './servers.ts';

/** The ports of a cluster, open or being opened. */
export interface OpenCluster extends Ports {
  readonly dial: Dial;
  /** Resolves when the instances can be reached; rejects with a `UserError` when no balancer can be reached. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

export interface OperatorOptions {
  readonly cluster: Cluster;
  /** Opens SSH to a host of the inventory, once for each host, when it is needed. */
  readonly connect: (host: string) => Promise<Connection>;
  readonly becomeOf: (host: string) => Become;
  /** The inventory's directory, for the files of a cluster without a store. */
  readonly directory: string;
  readonly hooks: HookRunner;
  /** The balancer whose watch keeps lock and journal in files, and the port on its loopback where they are served. */
  readonly keeper?:
    | {
        readonly host: string;
        readonly port: number;
        /** Whether the inventory has no other cluster; an older keeper serves one and does not say which. */
        readonly isOnly: boolean;
      }
    | undefined;
}

/**
 * Opens a cluster as an operator: SSH to the balancers in parallel, and everything else by TCP forwarded through
 * them.
 */
export async function openThroughBalancers(options: OperatorOptions): Promise<OpenCluster> {
  const { cluster } = options;
  const connect = remembered(options.connect);
  const { dial, ready } = dialThroughAny(
    cluster.balancers.map(({ name }) => ({
      name,
      connect: async () => {
        const connection = await connect(name);
        // sshd sends small packets without delay only after a command has started; before that, forwarded ones wait
        // 40 ms.
        connection.run(':').catch(() => {});
        return connection;
      },
    })),
    { connectTimeoutMs: cluster.settings.connectTimeoutMs },
  );
  const servers = openServers(cluster, dial);
  const balancers = openBalancers(cluster, {
    haproxy:
      ({ name, apiPort }) =>
      async () =>
        (await connect(name)).forward('127.0.0.1', apiPort),
    dial,
    verbs: (spec) => async (argv, limits) =>
      await operatorVerbs(await connect(spec.host), options.becomeOf(spec.host), spec)(argv, limits),
    script: scriptOnAny(
      cluster.balancers.map(({ name }) => name),
      connect,
    ),
  });
  const machines = new Map(
    cluster.instances.map((spec) => [
      spec.name,
      lazyMachine(spec.host, async () =>
        operatorMachine(await connect(spec.host), options.becomeOf(spec.host), spec),
      ),
    ]),
  );
  const { keeper } = options;
  const coordination =
    keeper === undefined
      ? await coordinationOf(cluster, dial, `${options.directory}/.understudy`)
      : remoteCoordination({
          where: keeper.host,
          cluster: cluster.name,
          isOnly: keeper.isOnly,
          open: async () => await (await connect(keeper.host)).forward('127.0.0.1', keeper.port),
        });
  return {
    servers,
    balancers,
    machines,
    coordination,
    hooks: options.hooks,
    dial,
    ready: async () => {
      try {
        await ready();
      } catch (error) {
        throw noBalancer(error as AggregateError);
      }
    },
    close: () => closeAll({ servers, balancers, coordination }),
  };
}

export interface DaemonOptions {
  readonly cluster: Cluster;
  readonly hooks: HookRunner;
  /** Where the lock and the journal are when there is no store. */
  readonly directory?: string | undefined;
  /** The key and the user of the role failover_agent. */
  readonly key?: string | undefined;
  /** Private to the caller: the sockets of shared SSH connections. */
  readonly controlDirectory?: string | undefined;
}

/** Where the role failover_agent puts it. */
export const AGENT_KEY = '/etc/understudy-agent/key';

/**
 * Opens a cluster as a daemon on a balancer: TCP, its own HAProxy, and other hosts by the key of the role
 * failover_agent.
 */
export async function openDirectly(options: DaemonOptions): Promise<OpenCluster> {
  const { cluster, key = AGENT_KEY, controlDirectory } = options;
  const dial = dialTcp(cluster.settings.connectTimeoutMs);
  const servers = openServers(cluster, dial);
  const balancers = openBalancers(cluster, {
    haproxy: (balancer) => balancerWay(balancer, { dial, key, controlDirectory }).open,
    dial,
    verbs: (spec) => agentVerbs({ host: spec.host, address: spec.address, key }, spec),
    script: async (text, timeoutMs) => {
      const { status, stdout, stderr, cut } = await run(['sh'], { input: text, timeoutMs });
      return { status: cut === undefined ? status : TIMED_OUT, stdout, stderr };
    },
  });
  const machines = new Map(
    cluster.instances.map((spec) => [
      spec.name,
      agentMachine({ host: spec.host, address: spec.address, key }, spec),
    ]),
  );
  const coordination = await coordinationOf(cluster, dial, options.directory ?? '/var/lib/understudy');
  return {
    servers,
    balancers,
    machines,
    coordination,
    hooks: options.hooks,
    dial,
    ready: () => Promise.resolve(),
    close: () => closeAll({ servers, balancers, coordination }),
  };
}

/** As the program `timeout` says it. */
const TIMED_OUT = 124;

/** Runs a script on the first host that can be reached, without being root there. */
function scriptOnAny(hosts: readonly string[], connect: (host: string) => Promise<Connection>): RunScript {
  return async (text, timeoutMs) => {
    const errors: unknown[] = [];
    for (const host of hosts) {
      try {
        const { status, stdout, stderr, timedOut } = await (await connect(host)).run(text, { timeoutMs });
        return {
          status: timedOut ? TIMED_OUT : status,
          stdout: stdout.toString('utf8'),
          stderr: stderr.toString('utf8'),
        };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        errors.push(error);
      }
    }
    throw noBalancer(new AggregateError(errors));
  };
}

function noBalancer({ errors }: AggregateError): UserError {
  const problems = errors.flatMap((error: unknown) =>
    error instanceof UserError ? error.problems : [{ message: String(error) }],
  );
  return new UserError(problems, { exitCode: EXIT.unreachable });
}

/** The store of a cluster: etcd when it has one, files in a directory when not. */
export async function coordinationOf(cluster: Cluster, dial: Dial, directory: string): Promise<Coordination> {
  if (cluster.etcd.length === 0) return fileCoordination({ directory, cluster: cluster.name });
  const { etcdCoordination } = await import('../coordination/etcd.ts');
  const { ca } = cluster.tls;
  return etcdCoordination({
    endpoints: cluster.etcd,
    dial,
    tls: ca === undefined ? undefined : { ca: readFileSync(ca, 'utf8') },
    account: cluster.accounts.etcd,
    cluster: cluster.name,
  });
}

/** Opens TCP connections from this machine. */
export function dialTcp(timeoutMs: number): Dial {
  return (address, port) =>
    new Promise<Duplex>((resolve, reject) => {
      const socket = connectTcp({ host: address, port, noDelay: true });
      const timer = setTimeout(() => {
        socket.destroy();
        reject(
          new DialError(
            'ETIMEDOUT',
            `connect to ${hostPort(address, port)}: no answer within ${timeoutMs} ms`,
          ),
        );
      }, timeoutMs);
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        // The user of the socket adds its own listener; until then an error must not end the process.
        socket.on('error', () => {});
        resolve(socket);
      });
    });
}

/** Keeps one connection for each host: opened at the first use, and again at the next use after it was lost. */
function remembered(connect: (host: string) => Promise<Connection>): (host: string) => Promise<Connection> {
  const known = new Map<string, Promise<Connection>>();
  return async (host) => {
    const before = known.get(host);
    if (before) {
      const connection = await before;
      if (!connection.closed) return connection;
    }
    if (known.get(host) === before) {
      const opening = connect(host);
      known.set(host, opening);
      opening.catch(() => known.delete(host));
    }
    return (await known.get(host)) ?? (await connect(host));
  };
}

/** Connects to a machine at its first use, since most changes need no machine. */
function lazyMachine(host: string, open: () => Promise<Machine>): Machine {
  return {
    host,
    approach: () => void open().catch(() => {}),
    fence: async (...given) => await (await open()).fence(...given),
    unfence: async (...given) => await (await open()).unfence(...given),
    endConnections: async (...given) => await (await open()).endConnections(...given),
    serveCopy: async (...given) => await (await open()).serveCopy(...given),
    endCopy: async (...given) => await (await open()).endCopy(...given),
    copyFrom: async (...given) => await (await open()).copyFrom(...given),
    newestLogs: async (...given) => await (await open()).newestLogs(...given),
    logEvents: async (...given) => await (await open()).logEvents(...given),
    logStatements: async (...given) => await (await open()).logStatements(...given),
    applyLog: async (...given) => await (await open()).applyLog(...given),
  };
}

/** Closes without waiting for what hangs: the process ends anyway. */
async function closeAll({
  servers,
  balancers,
  coordination,
}: Pick<Ports, 'servers' | 'balancers' | 'coordination'>): Promise<void> {
  const closing = Promise.allSettled([
    ...[...servers.values()].map((server) => server.close()),
    ...balancers.map((balancer) => balancer.close()),
    coordination.close(),
  ]);
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([closing, new Promise((resolve) => (timer = setTimeout(resolve, 500)))]);
  clearTimeout(timer);
}
