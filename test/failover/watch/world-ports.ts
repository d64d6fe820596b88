import type { Action } from '../../../src/failover/plan/action.ts';
import type { Cluster } from '../../../src/failover/cluster/cluster.ts';
import type { JournalEntry, LeaseOwner } from '../../../src/failover/coordination/records.ts';
import type { Coordination } from '../../../src/failover/coordination/coordination.ts';
import type { Notification } from '../../../src/failover/watch/notify.ts';
import type { Ports } from '../../../src/failover/reach/ports.ts';
import { defaultSettings } from '../../../src/failover/cluster/settings.ts';
import type { WatchEvent } from '../../../src/failover/watch/log.ts';
import { startWatch, type Watch } from '../../../src/failover/watch/watch.ts';
import { UserError } from '../../../src/lib/errors.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { ServerFailure } from '../../../src/database/failure.ts';
import type { Limits, Server, SourceAddress } from '../../../src/database/server.ts';
import type { InstanceState, Silence } from '../../../src/database/state.ts';
import { randomFrom } from '../support/play.ts';
import { Failure } from '../support/servers.ts';
import { World } from '../support/world.ts';

/** A site that watches can run on: the pure model of its servers, and a store that several share. */
export interface Site {
  readonly world: World;
  readonly cluster: Cluster;
  readonly entries: Map<string, JournalEntry>;
  /** The server is gone, and whoever is connected hears of it at once. */
  crash(name: string): void;
  /** Somebody else has the lock. */
  holdLock(owner: LeaseOwner): () => void;
  /** Why every question about what is stored fails, in words where the test gives some. */
  storeIsLost: boolean | string;
  /** The machines start no server, for as long as the tool waits. */
  unfenceHangs: boolean;
  /** Why every hook fails, while it does. */
  hooksFail: string | undefined;
  /** The ways of somebody who is on none of its hosts: nothing cuts him off. */
  ports(): Ports;
  watch(name: string): Watcher;
}

export interface Watcher {
  readonly events: readonly WatchEvent[];
  readonly notifications: readonly Notification[];
  readonly watch: Watch;
  /** It reaches nobody, and nobody reaches it. */
  cutOff: boolean;
  stop(): Promise<void>;
}

const NAMES = ['db1', 'db2', 'db3'] as const;

export function site(settings: Partial<Cluster['settings']> = {}): Site {
  const world = new World({ flavour: 'mysql', count: 3, required: 1, random: randomFrom(1) });
  const account = { user: 'x', password: new Secret('secret') };
  const cluster: Cluster = {
    name: 'model',
    production: false,
    flavour: 'mysql',
    instances: NAMES.map((name) => ({
      name,
      host: name.replace('db', 'web'),
      address: name,
      port: 3306,
      rule: 'neutral',
      dataCentre: 'here',
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
    settings: {
      ...defaultSettings(),
      pollMs: 20,
      queryTimeoutMs: 150,
      connectTimeoutMs: 150,
      deadAfterMs: 600,
      ...settings,
    },
  };
  const listeners = new Set<(name: string) => void>();
  const entries = new Map<string, JournalEntry>();
  const lock: { owner: LeaseOwner | undefined; epoch: number } = { owner: undefined, epoch: 1 };

  const portsFor = (state: { readonly cutOff: boolean }): Ports => {
    const coordination = storeOf(shared, state, lock);
    return {
      servers: new Map(NAMES.map((each) => [each, serverOf(each, world, state, listeners)])),
      balancers: ['lb1', 'lb2'].map((each) => ({
        name: each,
        kind: 'haproxy',
        checks: true,
        staleSeconds: 0,
        writers: async () => (world.writer === undefined ? [] : [world.writer.replace('db', 'web')]),
        expect: async () => {},
        hold: async () => world.do({ do: 'hold-writers', ms: 1 }),
        release: async () => world.do({ do: 'release-writers' }),
        endWriters: async (host) => world.do({ do: 'end-writers', instance: host.replace('web', 'db') }),
        pointWriters: async (host) => world.do({ do: 'point-writers', instance: host.replace('web', 'db') }),
        close: async () => {},
      })),
      machines: new Map(
        NAMES.map((each) => [
          each,
          {
            host: each,
            fence: async () => act(world, { do: 'fence', instance: each }),
            endConnections: async () => {},
            unfence: async (signal) => {
              if (shared.unfenceHangs) await aborted(signal);
              act(world, { do: 'unfence', instance: each });
              return { runs: true };
            },
            serveCopy: async () => {},
            endCopy: async () => {},
            copyFrom: async () => {},
            newestLogs: async () => '',
            logEvents: async () => '',
            logStatements: async () => Buffer.alloc(0),
            applyLog: async () => {},
          },
        ]),
      ),
      coordination,
      hooks: async () => {
        if (shared.hooksFail !== undefined) throw new UserError(shared.hooksFail);
      },
    };
  };

  const shared: Site = {
    world,
    cluster,
    entries,
    storeIsLost: false,
    hooksFail: undefined,
    unfenceHangs: false,
    crash(name) {
      world.crash(name);
      for (const listener of listeners) listener(name);
    },
    holdLock(owner) {
      lock.owner = owner;
      return () => (lock.owner = undefined);
    },
    ports: () => portsFor({ cutOff: false }),
    watch(name) {
      const events: WatchEvent[] = [];
      const notifications: Notification[] = [];
      const stop = new AbortController();
      const state = { cutOff: false };
      const ports = portsFor(state);
      const watch = startWatch({
        cluster,
        ports,
        who: name,
        log: (event) => void events.push(event),
        notify: async (notification) => void notifications.push(notification),
        signal: stop.signal,
      });
      return {
        events,
        notifications,
        watch,
        get cutOff() {
          return state.cutOff;
        },
        set cutOff(value) {
          state.cutOff = value;
        },
        stop: async () => {
          stop.abort();
          await watch.ended;
        },
      };
    },
  };
  return shared;
}

function storeOf(
  shared: Site,
  state: { readonly cutOff: boolean },
  lock: { owner: LeaseOwner | undefined; epoch: number },
): Coordination {
  const reach = (): void => {
    const why = state.cutOff || shared.storeIsLost;
    if (why !== false) throw new UserError(why === true ? 'the store does not answer' : why);
  };
  return {
    acquire: async (owner) => {
      reach();
      if (lock.owner)
        throw new UserError(`${lock.owner.who} is changing it right now (${lock.owner.purpose})`);
      lock.owner = owner;
      lock.epoch++;
      return {
        epoch: lock.epoch,
        signal: new AbortController().signal,
        confirm: async () => reach(),
        release: async () => {
          if (lock.owner === owner) lock.owner = undefined;
        },
      };
    },
    holder: async () => lock.owner,
    memory: async () => {
      reach();
      return shared.world.memory;
    },
    remember: async (change) => {
      reach();
      shared.world.memory = change(shared.world.memory);
    },
    write: async (entry) => {
      reach();
      shared.entries.set(entry.id, entry);
    },
    history: async () => [...shared.entries.values()].reverse(),
    close: async () => {},
  };
}

/** Rejects when the signal comes. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new UserError('interrupted')), { once: true });
  });
}

/** What each method of a server is in the model. */
function actionsOf(name: string): Readonly<Record<string, (...args: never[]) => readonly Action[]>> {
  const on = (kind: string) => (): readonly Action[] => [{ do: kind, instance: name } as Action];
  return {
    makeReadOnly: on('make-read-only'),
    persistReadOnly: on('persist-read-only'),
    makeWritable: on('make-writable'),
    endClients: on('end-clients'),
    stopReceiver: on('stop-receiver'),
    startReceiver: on('start-receiver'),
    startApplier: on('start-applier'),
    stopReplica: on('stop-replica'),
    startReplica: on('start-replica'),
    forgetSource: on('forget-source'),
    enableEvents: on('enable-events'),
    follow: (source: SourceAddress) => [
      { do: 'follow', instance: name, source: source.host, demoted: false },
    ],
    setSemiSyncSource: (value: boolean) => [{ do: 'semi-sync-source', instance: name, on: value }],
    setSemiSyncReplica: (value: boolean) => [{ do: 'semi-sync-replica', instance: name, on: value }],
    writeJournal: () => [],
  };
}

function serverOf(
  name: string,
  world: World,
  state: { readonly cutOff: boolean },
  listeners: Set<(name: string) => void>,
): Server {
  const actions = actionsOf(name);
  const stateNow = async ({ timeoutMs, signal }: Limits): Promise<InstanceState> => {
    const instance = world.observe().instances.find(({ spec }) => spec.name === name);
    const silence: Silence | undefined = state.cutOff
      ? { kind: 'timeout', alive: false, message: 'timeout' }
      : instance?.kind === 'silent'
        ? instance.silence
        : undefined;
    if (silence === undefined && instance?.kind === 'answering') return instance.state;
    // Who is cut off hears nothing at all, until its patience is over.
    if (silence?.kind === 'timeout') {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        signal?.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    throw new ServerFailure(name, 'asking', silence ?? { kind: 'error', alive: true, message: 'no such' });
  };
  const methods: Readonly<Record<string, (...args: never[]) => unknown>> = {
    readState: stateNow,
    ping: async (limits: Limits) => void (await stateNow(limits)),
    executed: async (limits: Limits) => (await stateNow(limits)).executed,
    waitFor: async () => {
      act(world, { do: 'apply-backlog', instance: name });
      world.everythingArrives();
      return true;
    },
    hasJournal: async () => true,
    disabledEvents: async () => [],
    onLost: (listener: () => void) => {
      const hear = (lost: string): void => {
        if (lost === name) listener();
      };
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
    close: async () => {},
  };
  return new Proxy({ name } as Server, {
    get: (target, method) => {
      if (method === 'name') return target.name;
      if (typeof method !== 'string' || method === 'then') return undefined;
      const own = methods[method];
      if (own) return own;
      const make = actions[method];
      if (make === undefined) throw new Error(`the model has no ${method}`);
      return async (...args: never[]) => {
        if (state.cutOff)
          throw new ServerFailure(name, method, { kind: 'timeout', alive: false, message: '' });
        for (const action of make(...args)) act(world, action);
        return 0;
      };
    },
  });
}

/** The model's own failures are the servers'. */
function act(world: World, action: Action): void {
  try {
    world.do(action);
  } catch (error) {
    if (error instanceof Failure) throw new UserError(error.message);
    throw error;
  }
}
