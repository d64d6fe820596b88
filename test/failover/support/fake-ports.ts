import { noGtids } from '../../../src/database/gtid.ts';
import type { Balancer } from '../../../src/balancer/balancer.ts';
import type { Plan, Stage, Step } from '../../../src/failover/plan/action.ts';
import type { Cluster } from '../../../src/failover/cluster/cluster.ts';
import type { JournalEntry } from '../../../src/failover/coordination/records.ts';
import type { Coordination, Lease } from '../../../src/failover/coordination/coordination.ts';
import { EMPTY_MEMORY } from '../../../src/failover/coordination/empty-memory.ts';
import type { Machine } from '../../../src/failover/reach/machine.ts';
import type { Ports } from '../../../src/failover/reach/ports.ts';
import { defaultSettings } from '../../../src/failover/cluster/settings.ts';
import type { Memory } from '../../../src/failover/cluster/memory.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import { Secret } from '../../../src/lib/secret.ts';
import type { Server } from '../../../src/database/server.ts';
import { healthyState } from './topology.ts';

/** What one method of one port does, by `db1.makeReadOnly`; all others succeed at once. */
export type Behaviour = Readonly<Record<string, (signal?: AbortSignal) => Promise<unknown>>>;

export interface Fake {
  readonly cluster: Cluster;
  readonly ports: Ports;
  readonly topology: Topology;
  readonly lease: Lease & { lose(): void };
  /** Every call of every port, in order. */
  readonly calls: readonly string[];
  readonly entries: readonly JournalEntry[];
  memory(): Memory;
}

const NAMES = ['db1', 'db2', 'db3'] as const;

/** Three instances and two balancers that do what they are told and write it down. */
export function fakeCluster(behaviour: Behaviour = {}): Fake {
  const calls: string[] = [];
  const entries: JournalEntry[] = [];
  let memory: Memory = EMPTY_MEMORY;
  const lost = new AbortController();

  const act = async (name: string, signal?: AbortSignal, fallback?: unknown): Promise<unknown> => {
    calls.push(name);
    return (await behaviour[name]?.(signal)) ?? fallback;
  };
  const account = { user: 'x', password: new Secret('secret') };
  const cluster: Cluster = {
    name: 'test',
    production: false,
    flavour: 'mysql',
    instances: NAMES.map((name, index) => ({
      name,
      host: `web${index + 1}`,
      address: `10.0.0.${index + 1}`,
      port: 3306,
      rule: 'neutral',
      dataCentre: '',
    })),
    balancers: ['lb1', 'lb2'].map((name) => ({
      name,
      address: name,
      apiPort: 9999,
      backend: 'mysql_primary',
    })),
    accounts: { failover: account, replication: account, backup: account },
    tls: { ca: undefined, replicaCa: '' },
    etcd: [],
    settings: defaultSettings(),
  };
  const coordination: Coordination = {
    acquire: () => Promise.reject(new Error('not asked in these tests')),
    holder: () => Promise.resolve(undefined),
    memory: () => Promise.resolve(memory),
    remember: async (change) => {
      await act('remember');
      memory = change(memory);
    },
    write: async (entry) => {
      await act('write');
      entries.push(entry);
    },
    history: () => Promise.resolve(entries),
    close: () => Promise.resolve(),
  };
  return {
    cluster,
    ports: {
      servers: new Map(NAMES.map((name) => [name, fakeServer(name, act)])),
      balancers: ['lb1', 'lb2'].map((name) => fakeBalancer(name, act)),
      machines: new Map(NAMES.map((name) => [name, fakeMachine(name, act)])),
      coordination,
      hooks: async (name, _event, signal) => void (await act(`hook.${name}`, signal)),
    },
    topology: {
      cluster: 'test',
      at: Date.now(),
      instances: [],
      balancers: ['lb1', 'lb2'].map((name) => ({ name, reachable: true, writers: ['web1'] })),
      memory,
    },
    lease: {
      epoch: 7,
      signal: lost.signal,
      confirm: async () => {
        await act('confirm');
        if (lost.signal.aborted) throw lost.signal.reason;
      },
      release: () => Promise.resolve(),
      lose: () => lost.abort(new Error('the lease is lost')),
    },
    calls,
    entries,
    memory: () => memory,
  };
}

type Act = (name: string, signal?: AbortSignal, fallback?: unknown) => Promise<unknown>;

/** The executor knows a server by its methods only: each is written down, and answers what the interface promises. */
function fakeServer(name: string, act: Act): Server {
  const answers: Readonly<Record<string, unknown>> = {
    waitFor: true,
    hasJournal: true,
    endClients: 0,
    enableEvents: 0,
    disabledEvents: [],
    executed: noGtids('mysql'),
    readState: healthyState('mysql', name, ''),
  };
  return new Proxy({ name } as Server, {
    get: (target, method) => {
      if (typeof method !== 'string' || method === 'then') return undefined;
      if (method === 'name') return target.name;
      return (...args: readonly unknown[]) => {
        const limits = args.at(-1) as { readonly signal?: AbortSignal } | undefined;
        return act(`${name}.${method}`, limits?.signal, answers[method]);
      };
    },
  });
}

function fakeBalancer(name: string, act: Act): Balancer {
  return {
    name,
    kind: 'haproxy',
    checks: true,
    staleSeconds: 0,
    writers: async () => (await act(`${name}.writers`, undefined, [])) as readonly string[],
    expect: async (server) => void (await act(`${name}.expect ${server}`)),
    hold: async () => void (await act(`${name}.hold`)),
    release: async () => void (await act(`${name}.release`)),
    endWriters: async (server) => void (await act(`${name}.endWriters ${server}`)),
    pointWriters: async (server) => void (await act(`${name}.pointWriters ${server}`)),
    close: () => Promise.resolve(),
  };
}

function fakeMachine(name: string, act: Act): Machine {
  return {
    host: name,
    fence: async (signal) => void (await act(`${name}.fence`, signal)),
    unfence: async (signal) =>
      (await act(`${name}.unfence`, signal, { runs: true })) as { readonly runs: boolean },
    endConnections: async ({ address }, signal) =>
      void (await act(`${name}.endConnections ${address}`, signal)),
    serveCopy: async (signal) => void (await act(`${name}.serveCopy`, signal)),
    endCopy: async (signal) => void (await act(`${name}.endCopy`, signal)),
    copyFrom: async (_donor, _report, signal) => void (await act(`${name}.copyFrom`, signal)),
    newestLogs: async (_count, signal) => (await act(`${name}.newestLogs`, signal, '')) as string,
    logEvents: async (_from, signal) => (await act(`${name}.logEvents`, signal, '')) as string,
    logStatements: async (_from, signal) =>
      (await act(`${name}.logStatements`, signal, Buffer.from(''))) as Buffer,
    applyLog: async (_statements, { signal }) => void (await act(`${name}.applyLog`, signal)),
  };
}

type Given = Omit<Step, 'name' | 'limitMs'> & Partial<Pick<Step, 'limitMs'>>;

/** A switchover db1 → db2 of these stages. */
export function planOf(...stages: readonly (readonly Given[])[]): Plan {
  return {
    kind: 'switchover',
    from: 'db1',
    to: 'db2',
    notes: [],
    lost: '',
    lostCount: 0,
    stages: stages.map((stage): Stage =>
      stage.map((step) => ({ name: step.action.do, limitMs: 5000, ...step })),
    ),
  };
}

/** The shape of a whole switchover, with what takes each step back. */
export function wholeSwitchover(): Plan {
  return planOf(
    [{ action: { do: 'catch-up', instance: 'db2', with: 'db1' } }],
    [{ action: { do: 'hold-writers', ms: 5000 }, undo: [{ do: 'release-writers' }] }],
    [
      {
        action: { do: 'make-read-only', instance: 'db1' },
        undo: [{ do: 'make-writable', instance: 'db1' }],
      },
    ],
    [{ action: { do: 'end-clients', instance: 'db1' } }],
    [{ action: { do: 'catch-up', instance: 'db2', with: 'db1' } }],
    [
      {
        action: { do: 'stop-replica', instance: 'db2' },
        undo: [{ do: 'start-replica', instance: 'db2' }],
      },
    ],
    [{ action: { do: 'semi-sync-source', instance: 'db2', on: true } }],
    [{ action: { do: 'make-writable', instance: 'db2' }, irreversible: true }],
    [
      { action: { do: 'point-writers', instance: 'db2' } },
      { action: { do: 'follow', instance: 'db1', source: 'db2', demoted: true } },
      { action: { do: 'follow', instance: 'db3', source: 'db2', demoted: false } },
    ],
    [{ action: { do: 'prove', instance: 'db2', on: ['db1', 'db3'] }, optional: true }],
    [{ action: { do: 'forget-source', instance: 'db2' } }],
  );
}

/** The calls that change something at an instance, a balancer or a machine. */
export function changes(calls: readonly string[]): readonly string[] {
  return calls.filter(
    (call) =>
      !['write', 'remember', 'confirm'].includes(call) &&
      !/\.(readState|executed|waitFor|writers)$|\.expect /.test(call),
  );
}
