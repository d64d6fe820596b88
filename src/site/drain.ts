import { poll } from '../lib/async.ts';
import { EXIT, type Problem, UserError } from '../lib/errors.ts';
import { didYouMean } from '../lib/similar.ts';
import type { SiteBalancer } from './balancer.ts';
import type { Drained } from './drained.ts';
import type { Part, Pool, PoolServer } from './pool.ts';

// Taking a server out of what the balancers serve, and putting it back: on all of them, or on none.

const EVERY_MS = 200;

/** What a server still works on, on one balancer. */
export interface Left {
  readonly balancer: string;
  readonly part: Part;
  readonly current: number;
}

export interface DrainOptions {
  /** How long running requests may take. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Also when nobody else serves. */
  readonly evenTheLast: boolean;
  /** Called whenever what is left has changed. */
  readonly progress: (left: readonly Left[]) => void;
}

export interface DrainOutcome {
  /** Requests that run still, after the time was over; empty: none. */
  readonly requests: readonly Left[];
  /** Sessions of the database's readers, which may live for ever: they are no reason to wait. */
  readonly reads: readonly Left[];
  /** Who had taken it out before, if somebody had. */
  readonly before: Drained | undefined;
}

/**
 * Takes a server out on all balancers, and waits until its requests are answered. When one balancer fails, or the
 * signal comes, the others get it back as it was.
 */
export async function drain(
  balancers: readonly SiteBalancer[],
  server: string,
  drained: Drained,
  options: DrainOptions,
): Promise<DrainOutcome> {
  const pools = await mayLeave(balancers, server, options);
  const before = pools.map((pool) => pool.drained.get(server)).find((one) => one !== undefined);
  const record = before ?? drained;
  const fresh = balancers.filter((_, index) => !isOutOf(pools[index], server));
  try {
    await everyone(balancers, (balancer) => balancer.takeOut(server, record));
    let told = '';
    const done = await poll(
      async () => {
        const now = await everyone(balancers, async (balancer) => {
          const pool = await balancer.pool();
          // A reload in the same moment may have begun with what was before.
          return isOutOf(pool, server) ? pool : await balancer.takeOut(server, record);
        });
        const left = leftOf(now, server);
        const text = JSON.stringify(left);
        if (text !== told) options.progress(left);
        told = text;
        return left.some(({ part }) => part === 'requests') ? undefined : left;
      },
      { everyMs: EVERY_MS, withinMs: options.timeoutMs, signal: options.signal },
    );
    const left = done ?? leftOf(await poolsOf(balancers), server);
    return {
      requests: left.filter(({ part }) => part === 'requests'),
      reads: left.filter(({ part }) => part === 'reads'),
      before,
    };
  } catch (error) {
    // Who was out before stays out.
    const back = await Promise.allSettled(fresh.map(async (balancer) => await balancer.putBack(server)));
    const stuck = fresh.filter((_, index) => back[index]?.status === 'rejected').map(({ name }) => name);
    if (stuck.length === 0) throw error;
    const rest = error instanceof UserError ? error.problems : [];
    throw new UserError(
      [
        ...rest,
        {
          message: `${stuck.join(' and ')} could not put ${server} back`,
          hint: `\`provision undrain ${server}\` when ${stuck.length === 1 ? 'it answers' : 'they answer'} again`,
        },
      ],
      { cause: error, exitCode: EXIT.failed },
    );
  }
}

/** What the balancers say; rejects when they do not know the server, or when nobody else would serve. */
export async function mayLeave(
  balancers: readonly SiteBalancer[],
  server: string,
  { evenTheLast }: Pick<DrainOptions, 'evenTheLast'>,
): Promise<readonly Pool[]> {
  const pools = await poolsOf(balancers);
  mustServe(pools, server);
  if (!evenTheLast) mustLeaveSomebody(pools, server);
  return pools;
}

export interface UndrainOptions {
  /** How long every balancer's check may take to find it healthy. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Nobody looks whether it is healthy. */
  readonly unchecked: boolean;
}

/** Puts a server back on all balancers, once the check of each finds it healthy. Who had taken it out, if somebody had. */
export async function undrain(
  balancers: readonly SiteBalancer[],
  server: string,
  options: UndrainOptions,
): Promise<Drained | undefined> {
  const pools = await poolsOf(balancers);
  mustServe(pools, server);
  const before = pools.map((pool) => pool.drained.get(server)).find((one) => one !== undefined);
  if (!options.unchecked) await untilHealthy(balancers, server, options);
  const after = await everyone(balancers, (balancer) => balancer.putBack(server));
  const still = after.filter((pool) => pool.servers.some(({ name, isOut }) => name === server && isOut));
  if (still.length === 0) return before;
  throw new UserError(
    {
      message: `${still.map(({ balancer }) => balancer).join(' and ')} still ${still.length === 1 ? 'has' : 'have'} ${server} out`,
      hint: `run \`provision undrain ${server}\` again`,
    },
    { exitCode: EXIT.failed },
  );
}

/** Waits until every balancer's own check finds the server healthy; rejects with what they found instead. */
export async function untilHealthy(
  balancers: readonly SiteBalancer[],
  server: string,
  { timeoutMs, signal }: Pick<UndrainOptions, 'timeoutMs' | 'signal'>,
): Promise<void> {
  let sick: readonly Problem[] = [];
  const healthy = await poll(
    async () => {
      sick = (await poolsOf(balancers)).flatMap(({ balancer, servers }) =>
        servers
          .filter(({ name, part, passes }) => name === server && part === 'requests' && !passes)
          .map(({ check }) => ({ message: `${balancer} does not find ${server} healthy: ${check}` })),
      );
      return sick.length === 0 ? true : undefined;
    },
    { everyMs: EVERY_MS, withinMs: timeoutMs, signal },
  );
  if (healthy) return;
  const [first, ...rest] = sick;
  const hint = `it stays out after ${timeoutMs / 1000} s; see what is wrong with it, or --force puts it back as it is`;
  throw new UserError([{ ...(first ?? { message: `${server} is not healthy` }), hint }, ...rest], {
    exitCode: EXIT.failed,
  });
}

/** Reads all balancers. */
export async function poolsOf(balancers: readonly SiteBalancer[]): Promise<readonly Pool[]> {
  return await everyone(balancers, (balancer) => balancer.pool());
}

/** Does it on all balancers at once, and rejects with all that went wrong. */
async function everyone<T>(
  balancers: readonly SiteBalancer[],
  work: (balancer: SiteBalancer) => Promise<T>,
): Promise<readonly T[]> {
  const settled = await Promise.allSettled(balancers.map(async (balancer) => await work(balancer)));
  const errors = settled.flatMap((one) => {
    if (one.status === 'fulfilled') return [];
    if (one.reason instanceof UserError) return [one.reason];
    throw one.reason;
  });
  const [first] = errors;
  if (first === undefined) return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  throw new UserError(
    errors.flatMap(({ problems }) => problems),
    { cause: first, exitCode: first.exitCode },
  );
}

function mustServe(pools: readonly Pool[], server: string): void {
  const missing = pools.filter(
    (pool) => !pool.drained.has(server) && !pool.servers.some(({ name }) => name === server),
  );
  if (missing.length === 0) return;
  const names = [...new Set(missing.flatMap(({ servers }) => servers.map(({ name }) => name)))];
  throw new UserError({
    message: `${missing.map(({ balancer }) => balancer).join(' and ')} ${missing.length === 1 ? 'has' : 'have'} no server "${server}"`,
    hint: didYouMean(server, names) ?? `there are ${names.join(', ')}; \`provision up\` when it is new`,
  });
}

function mustLeaveSomebody(pools: readonly Pool[], server: string): void {
  const alone = pools.filter(
    ({ servers }) =>
      servers.some(({ name, part }) => part === 'requests' && name === server) &&
      !servers.some(
        ({ name, part, isOut, passes }) => part === 'requests' && name !== server && !isOut && passes,
      ),
  );
  if (alone.length === 0) return;
  throw new UserError(
    {
      message: `without ${server} nobody serves behind ${alone.map(({ balancer }) => balancer).join(' and ')}`,
      hint: 'put another server back first (`provision drain --status`), or accept that with --force',
    },
    { exitCode: EXIT.failed },
  );
}

function isOutOf(pool: Pool | undefined, server: string): boolean {
  const mine = pool?.servers.filter(({ name }) => name === server) ?? [];
  return pool?.drained.has(server) === true && mine.every(({ isOut }) => isOut);
}

function serversIn(pool: Pool, part: Part, server: string): readonly PoolServer[] {
  return pool.servers.filter((one) => one.part === part && one.name === server);
}

function leftOf(pools: readonly Pool[], server: string): readonly Left[] {
  return pools.flatMap((pool) =>
    (['requests', 'reads'] as const).flatMap((part) => {
      const current = serversIn(pool, part, server).reduce((sum, one) => sum + one.current, 0);
      return current === 0 ? [] : [{ balancer: pool.balancer, part, current }];
    }),
  );
}
