import { again, within } from '../../lib/async.ts';
import { UserError } from '../../lib/errors.ts';
import type { SiteBalancer } from '../../site/balancer.ts';
import { looked, type Traffic, unseenSince } from '../../site/roll/traffic.ts';

const EVERY_MS = 1000;

/** How long the first and the last look may take. */
const PATIENCE_MS = 3000;

/** The counters of all balancers while a roll runs. Whatever goes wrong with them is told at the end, and hinders nobody. */
export interface TrafficWatch {
  /** Looks for the last time: by balancer what it counted, or why that is not known. */
  end(): Promise<ReadonlyMap<string, Traffic | string>>;
}

/** Begins to look at the counters; resolves when each balancer was looked at, or has not answered for a while. */
export async function watchTraffic(
  balancers: readonly Pick<SiteBalancer, 'name' | 'counters'>[],
): Promise<TrafficWatch> {
  const watched = balancers.map((balancer) => watchOne(balancer));
  await Promise.all(watched.map(async ({ first }) => await first));
  return {
    end: async () =>
      new Map(await Promise.all(watched.map(async ({ name, end }) => [name, await end()] as const))),
  };
}

interface Watched {
  readonly name: string;
  readonly first: Promise<unknown>;
  readonly end: () => Promise<Traffic | string>;
}

function watchOne(balancer: Pick<SiteBalancer, 'name' | 'counters'>): Watched {
  const ended = new AbortController();
  let traffic: Traffic | undefined;
  let why = 'it did not answer';
  const failed = (error: unknown): void => {
    why = error instanceof UserError ? (error.problems[0]?.message ?? error.message) : String(error);
  };
  const look = async (): Promise<void> => {
    traffic = looked(traffic, await balancer.counters(), Date.now());
  };
  const inTime = async (work: Promise<void>): Promise<boolean> =>
    await within(
      work.then(() => true),
      { ms: PATIENCE_MS, expired: () => new UserError('it did not answer') },
    ).catch((error: unknown) => {
      failed(error);
      return false;
    });
  const firstLook = look();
  const first = inTime(firstLook);
  // Never two looks at once: what was asked later might be answered first.
  const looks = firstLook
    .catch(() => {})
    .then(async () => await again(look, { everyMs: EVERY_MS, signal: ended.signal, failed }));
  return {
    name: balancer.name,
    first,
    async end() {
      ended.abort();
      const isSeen = await inTime(looks.then(look));
      if (traffic === undefined) return why;
      return isSeen ? traffic : unseenSince(traffic, Date.now());
    },
  };
}
