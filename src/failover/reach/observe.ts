import { abilitiesOf, type Balancer } from '../../balancer/balancer.ts';
import type { InstanceState, Silence } from '../../database/state.ts';
import { withoutCopied } from '../cluster/copies.ts';
import { silenceOf } from '../cluster/silence.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Ports } from './ports.ts';
import type { Memory } from '../cluster/memory.ts';
import { seekersOf, witnessedPatienceMs } from './witnessed.ts';
import type { BalancerView, Instance, InstanceSpec, Topology } from '../cluster/topology.ts';

export interface ObserveOptions {
  /** The memory, when it is known already; otherwise it is read. */
  readonly memory?: Memory | Promise<Memory> | undefined;
  /**
   * By name: how long to wait for an instance, in milliseconds, when it is known to have been silent for a while. A
   * promise: an earlier look still goes on, and who is silent there is waited for here no longer than there.
   */
  readonly patience?: Patience | Promise<Patience> | undefined;
  /** Called once, when all others have answered and none hears its source, which is silent: with those that seek it. */
  readonly onSought?: ((seekers: readonly string[]) => void) | undefined;
  /** Instances that are not queried, because their state is known. */
  readonly known?: ReadonlyMap<string, Instance> | undefined;
  /** Leaves the balancers out, which cost a round trip. */
  readonly withoutBalancers?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How long to wait for each instance. */
export type Patience = ReadonlyMap<string, number>;

/** Queries all instances, the balancers and the memory in parallel, within the time limits of the settings. */
export async function observe(
  cluster: Cluster,
  ports: Ports,
  options: ObserveOptions = {},
): Promise<Topology> {
  const at = Date.now();
  const { settings } = cluster;
  const hurries = new Map(cluster.instances.map(({ name }) => [name, new AbortController()] as const));
  const limitMs = settings.connectTimeoutMs + settings.queryTimeoutMs;
  const states = new Map<string, InstanceState>();
  const known = (name: string): Instance | undefined => options.known?.get(name);
  const waiting = new Set(cluster.instances.filter(({ name }) => known(name) === undefined));
  let slowestMs = 0;
  // Who judges by an earlier look does not judge by this one, before that look has ended.
  let isJudged = !(options.patience instanceof Promise);
  let isSought = false;

  /** Shortens the wait when the only missing instance is the source of all others, and none of them hears it. */
  const hasten = (): void => {
    if (waiting.size !== 1 || states.size === 0) return;
    const [left] = waiting;
    const seekers = left && seekersOf(left, states);
    if (!left || !seekers) return;
    if (!isSought) options.onSought?.(seekers);
    isSought = true;
    if (isJudged) giveUpAfter(left.name, witnessedPatienceMs(slowestMs));
  };

  const giveUpAfter = (name: string, ms: number): void => {
    setTimeout(() => hurries.get(name)?.abort(), Math.max(0, ms)).unref();
  };

  const began = performance.now();
  if (options.patience instanceof Promise) {
    void options.patience.then((patience) => {
      isJudged = true;
      for (const [name, ms] of patience) giveUpAfter(name, ms - (performance.now() - began));
      hasten();
    });
  }
  const patience = options.patience instanceof Promise ? undefined : options.patience;

  const readInstance = async (spec: InstanceSpec): Promise<Instance> => {
    const server = ports.servers.get(spec.name);
    if (!server) throw new Error(`no server for ${spec.name}`);
    const patienceMs = patience?.get(spec.name) ?? limitMs;
    const answer = await within(patienceMs, hurries.get(spec.name)?.signal, (signal) =>
      server.readState({ timeoutMs: patienceMs, signal }),
    );
    waiting.delete(spec);
    const ms = performance.now() - began;
    if (answer.kind === 'done') {
      slowestMs = Math.max(slowestMs, ms);
      states.set(spec.name, answer.value);
    }
    hasten();
    if (answer.kind === 'done') return { spec, kind: 'answering', state: answer.value, ms };
    const silence: Silence =
      answer.kind === 'late'
        ? { kind: 'timeout', alive: false, message: `no answer within ${Math.round(ms)} ms` }
        : silenceOf(answer.error);
    return { spec, kind: 'silent', silence, ms };
  };

  const [instances, balancers, memory] = await Promise.all([
    Promise.all(cluster.instances.map(async (spec) => known(spec.name) ?? (await readInstance(spec)))),
    options.withoutBalancers
      ? []
      : Promise.all(
          ports.balancers.map((balancer) => readBalancer(balancer, balancerLimitMs(balancer, settings))),
        ),
    options.memory ?? ports.coordination.memory(),
  ]);
  options.signal?.throwIfAborted();
  return {
    cluster: cluster.name,
    at,
    instances: withoutCopied(instances, memory, at).map((instance) => withRule(instance, memory)),
    balancers,
    memory,
  };
}

/** A promotion rule that was set at run time overrides the inventory's. */
function withRule(instance: Instance, memory: Memory): Instance {
  const rule = memory.rules[instance.spec.name];
  return rule === undefined ? instance : { ...instance, spec: { ...instance.spec, rule } };
}

/** The ways to the others begin with a login by SSH, and each has its own, shorter, limit. */
const SLOWEST_BALANCER_MS = 6000;

function balancerLimitMs({ kind }: Balancer, { queryTimeoutMs }: Cluster['settings']): number {
  return kind === 'haproxy' ? queryTimeoutMs : Math.max(SLOWEST_BALANCER_MS, queryTimeoutMs);
}

async function readBalancer(balancer: Balancer, limitMs: number): Promise<BalancerView> {
  const answer = await within(limitMs, undefined, () => balancer.writers());
  const { name } = balancer;
  const abilities = abilitiesOf(balancer);
  if (answer.kind === 'done') return { name, abilities, reachable: true, writers: answer.value };
  const message = answer.kind === 'late' ? `no answer within ${limitMs} ms` : (answer.error as Error).message;
  return { name, abilities, reachable: false, writers: [], message };
}

type Answer<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'late' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** An answer, or why there is none; never later than the limit, even when `ask` never settles. */
function within<T>(
  limitMs: number,
  hurry: AbortSignal | undefined,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<Answer<T>> {
  return new Promise((resolve) => {
    const controller = new AbortController();
    const end = (answer: Answer<T>): void => {
      clearTimeout(timer);
      hurry?.removeEventListener('abort', giveUp);
      resolve(answer);
    };
    const giveUp = (): void => {
      end({ kind: 'late' });
      controller.abort();
    };
    const timer = setTimeout(giveUp, limitMs);
    hurry?.addEventListener('abort', giveUp, { once: true });
    ask(controller.signal).then(
      (value) => end({ kind: 'done', value }),
      (error: unknown) => end({ kind: 'failed', error }),
    );
  });
}
