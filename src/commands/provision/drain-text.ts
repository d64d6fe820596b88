import type { Left } from '../../site/drain.ts';
import type { Pool } from '../../site/pool.ts';
import { clock } from '../../report/text.ts';
import type { DrainDowntime } from './drain-downtime.ts';
import type { DrainStatus, OnBalancer } from './drain-json.ts';

/** `3 requests run on lb1, 1 on lb2`. */
export function leftText(left: readonly Left[]): string {
  const parts = (['requests', 'reads'] as const).flatMap((part) => {
    const mine = left.filter((one) => one.part === part);
    if (mine.length === 0) return [];
    const noun = part === 'requests' ? 'requests run' : 'reading sessions are open';
    return [`${noun}: ${mine.map(({ balancer, current }) => `${current} through ${balancer}`).join(', ')}`];
  });
  return parts.join('; ');
}

/** Who is out, for programs. */
export function drainStatusJson(pools: readonly Pool[], downtimes: readonly DrainDowntime[]): DrainStatus {
  return {
    type: 'drain-status',
    servers: namesIn(pools).map((name) => ({
      name,
      drained: drainedIn(pools, name),
      balancers: pools.map((pool) => ({ balancer: pool.balancer, ...stateIn(pool, name) })),
    })),
    cutOff: cutOff(pools, downtimes).map((one) => ({ ...one })),
  };
}

/** A line for each server that is out, whose balancers do not agree, or whose drain was cut off. */
export function drainStatusText(
  pools: readonly Pool[],
  downtimes: readonly DrainDowntime[],
  now: number,
): string {
  const lines = namesIn(pools).flatMap((name) => {
    const states = pools.map((pool) => ({ balancer: pool.balancer, ...stateIn(pool, name) }));
    const drained = drainedIn(pools, name);
    if (drained === undefined && !states.some(({ isOut }) => isOut)) return [];
    const who =
      drained === undefined
        ? 'by hand, in HAProxy itself'
        : `since ${clock(drained.since)} (${minutes(now - drained.since)}) by ${drained.by}: ${drained.reason}`;
    const where = states.map(({ balancer, isOut, requests, reads, healthy }) =>
      !pools.some(({ servers }) => servers.some((one) => one.name === name))
        ? `${balancer} has no such server; \`provision undrain ${name}\` removes the note`
        : `${balancer} ${isOut ? 'out' : 'IN SERVICE'}, ${requests} requests, ${reads} reading sessions${healthy ? '' : ', not healthy'}`,
    );
    return [`${name}: out ${who}\n    ${where.join('\n    ')}`];
  });
  const all = lines.length === 0 ? ['all servers are in service'] : lines;
  const halves = cutOff(pools, downtimes).map(
    ({ host, instance, by, reason }) =>
      `${host}: a drain by ${by} was cut off (${reason}), and the watch leaves ${instance} alone since: \`provision undrain ${host}\` ends that`,
  );
  return `${[...all, ...halves].join('\n')}\n`;
}

/** Of hosts that nobody has taken out: who wanted to was killed before. */
function cutOff(pools: readonly Pool[], downtimes: readonly DrainDowntime[]): readonly DrainDowntime[] {
  return downtimes.filter(({ host }) => drainedIn(pools, host) === undefined);
}

function minutes(ms: number): string {
  const all = Math.max(0, Math.round(ms / 60_000));
  return all < 120 ? `${all} min` : `${Math.round(all / 60)} h`;
}

function namesIn(pools: readonly Pool[]): readonly string[] {
  // A note outlives the server that it is about.
  return [
    ...new Set(
      pools.flatMap(({ servers, drained }) => [...servers.map(({ name }) => name), ...drained.keys()]),
    ),
  ];
}

function drainedIn(pools: readonly Pool[], name: string): ReturnType<Pool['drained']['get']> {
  return pools.map((pool) => pool.drained.get(name)).find((one) => one !== undefined);
}

function stateIn(pool: Pool, name: string): Omit<OnBalancer, 'balancer'> {
  const mine = pool.servers.filter((one) => one.name === name);
  const sum = (part: string): number =>
    mine.filter((one) => one.part === part).reduce((total, one) => total + one.current, 0);
  const web = mine.filter(({ part }) => part === 'requests');
  return {
    isOut: mine.length > 0 && mine.every(({ isOut }) => isOut),
    requests: sum('requests'),
    reads: sum('reads'),
    healthy: web.every(({ passes }) => passes),
  };
}
