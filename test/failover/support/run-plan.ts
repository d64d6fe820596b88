import type { Cluster } from '../../../src/failover/cluster/cluster.ts';
import type { Coordination, Lease } from '../../../src/failover/coordination/coordination.ts';
import { execute } from '../../../src/failover/execute/execute.ts';
import type { Action, Plan } from '../../../src/failover/plan/action.ts';
import type { Ports } from '../../../src/failover/reach/ports.ts';
import type { Limits, Server } from '../../../src/database/server.ts';
import type { InstanceState } from '../../../src/database/state.ts';
import { EXIT, UserError } from '../../../src/lib/errors.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { sayOf, specOf } from './say.ts';
import { Failure } from './servers.ts';
import type { World } from './world.ts';

export interface RunOptions {
  readonly settings: Cluster['settings'];
  readonly random: () => number;
  /** What goes on between two actions. */
  readonly between: () => void;
  /** The tool is killed after this many actions. */
  readonly killAfter?: number | undefined;
  /** A step that fails, by its place in the order. */
  readonly failAt?: number | undefined;
  /** The tool stands still before this action, for longer than its lease lasts; others go on meanwhile. */
  readonly suspendAt?: number | undefined;
  /** Something happens to the servers before this action. */
  readonly disturbAt?: number | undefined;
  readonly disturb?: (() => void) | undefined;
  readonly meanwhile?: (() => Promise<void>) | undefined;
}

export interface Ending {
  readonly how: 'done' | 'undone' | 'killed' | 'failed';
  /** Who became the primary: it may have been chosen half way. */
  readonly to: string;
  readonly message: string | undefined;
}

/**
 * Has the real executor carry a plan out on the model. The steps of a stage come in any order, those beside at any later
 * time; the servers' own life goes on between them.
 */
export async function runPlan(world: World, plan: Plan, options: RunOptions): Promise<Ending> {
  const { random, between, killAfter, failAt, suspendAt, settings } = options;
  const lost = new AbortController();
  let count = 0;
  let isDead = false;
  let suspended: Promise<void> | undefined;
  const lease: Lease = {
    epoch: world.memory.epoch + 1,
    signal: lost.signal,
    confirm: async () => {
      if (lost.signal.aborted) throw lost.signal.reason;
    },
    release: async () => {},
  };
  const beside = new Set(plan.stages.flat().flatMap((step) => (step.beside ? [step.action] : [])));
  const standStill = async (): Promise<void> => {
    await options.meanwhile?.();
    lost.abort(new UserError('the lease is lost', { exitCode: EXIT.failed }));
  };
  const perform = async (action: Action, { signal }: Limits): Promise<Record<string, never>> => {
    await ticks(beside.has(action) && random() < 0.5 ? 400 * random() : 8 * random());
    // A killed program does nothing more, whatever it had in mind.
    if (isDead) throw new Error('killed');
    if (count === killAfter) {
      isDead = true;
      throw new Error('killed');
    }
    // Whatever it was about to do waits as long as the program stands still.
    if (count === suspendAt) suspended ??= standStill();
    if (suspended !== undefined) await suspended;
    if (signal?.aborted) throw new Error('aborted');
    if (count === options.disturbAt) options.disturb?.();
    between();
    if (count++ === failAt) throw new UserError('made to fail');
    try {
      world.do(action);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const isFence = action.do === 'fence';
      throw isFence ? new UserError(error.message, { exitCode: EXIT.unreachable }) : new Error(error.message);
    }
    return {};
  };
  const outcome = await execute(plan, {
    cluster: clusterOf(world, settings),
    ports: portsOf(world, () => isDead),
    lease,
    topology: world.observe(),
    who: 'model',
    reason: '',
    look: async ({ memory } = {}) => {
      between();
      // What the change itself has noted in the memory since is not asked for again.
      return { ...world.observe(), ...(memory === undefined ? {} : { memory: await memory }) };
    },
    perform,
  });
  const { to, message } = outcome;
  return { how: isDead || count === killAfter ? 'killed' : outcome.outcome, to, message };
}

/** Lets other steps go first. */
async function ticks(count: number): Promise<void> {
  for (let index = 0; index < count; index++) await Promise.resolve();
}

export function clusterOf(world: World, settings: Cluster['settings']): Cluster {
  const account = { user: 'x', password: new Secret('secret') };
  return {
    name: 'model',
    production: false,
    flavour: world.flavour,
    instances: world.all().map(specOf),
    balancers: ['lb1', 'lb2'].map((name) => ({
      name,
      address: name,
      apiPort: 9999,
      backend: 'mysql_primary',
    })),
    accounts: { failover: account, replication: account, backup: account },
    tls: { ca: undefined, replicaCa: '' },
    etcd: [],
    settings,
  };
}

/** What the executor asks of the ports by itself; the actions go another way. */
function portsOf(world: World, isDead: () => boolean): Ports {
  const coordination: Coordination = {
    acquire: () => Promise.reject(new Error('the model has the lock')),
    holder: async () => undefined,
    memory: async () => world.memory,
    remember: async (change) => {
      if (!isDead()) world.memory = change(world.memory);
    },
    write: async () => {},
    history: async () => [],
    close: async () => {},
  };
  return {
    servers: new Map(
      world.all().map(({ name }) => [
        name,
        {
          name,
          readState: async () => stateOf(world, name),
        } as unknown as Server,
      ]),
    ),
    balancers: [],
    machines: new Map(),
    coordination,
    hooks: async () => {},
  };
}

function stateOf(world: World, name: string): InstanceState {
  const instance = sayOf(world, world.node(name));
  if (instance.kind === 'answering') return instance.state;
  throw new UserError(`${name} does not answer`);
}
