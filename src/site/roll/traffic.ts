import { type Counts, countsBy, COUNTER_NAMES, type ProcessCounters } from '../counters.ts';

// What the balancers served while a roll ran: the sum of differences between looks at their counters. Each process of
// HAProxy counts for itself from its start on; a reload, a restart and a reboot make new ones.

/** What was seen at one look, summed up since the first. */
export interface Point {
  readonly at: number;
  readonly requests: number;
  readonly failed: number;
}

/** A span in which requests may have been served that nobody counted. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** One balancer's counters since the first look. */
export interface Traffic {
  readonly counts: Counts;
  /** Milliseconds that the slowest request took, of those known to be since the first look. */
  readonly slowestMs: number;
  /** Until a process has a slower one, what it says is of before the first look: no later one took longer. */
  readonly slowestBefore: number;
  readonly points: readonly Point[];
  readonly gaps: readonly Gap[];
  /** Those of the last look, by their pid. */
  readonly processes: ReadonlyMap<number, Seen>;
}

interface Seen extends ProcessCounters {
  /** Its slowest request when it was first seen; zero: it began later than the first look. */
  readonly slowestBefore: number;
}

/** Another look at a balancer; the first one is what later ones are compared with. */
export function looked(
  before: Traffic | undefined,
  processes: readonly ProcessCounters[],
  at: number,
): Traffic {
  let counts = before?.counts ?? countsBy(() => 0);
  let hasEnded = [...(before?.processes.keys() ?? [])].some(
    (pid) => !processes.some((one) => one.pid === pid),
  );
  const seen = processes.map((now): Seen => {
    if (before === undefined) return { ...now, slowestBefore: now.slowestMs };
    const last = before.processes.get(now.pid);
    const isSame = last !== undefined && COUNTER_NAMES.every((name) => now.counts[name] >= last.counts[name]);
    // Less than before: another process has got its number.
    if (last !== undefined && !isSame) hasEnded = true;
    const sum = counts;
    counts = countsBy((name) => sum[name] + now.counts[name] - (isSame ? last.counts[name] : 0));
    return { ...now, slowestBefore: isSame ? last.slowestBefore : 0 };
  });
  const since = seen.filter(({ slowestMs, slowestBefore }) => slowestMs > slowestBefore);
  const from = before?.points.at(-1)?.at ?? at;
  return {
    counts,
    slowestMs: Math.max(before?.slowestMs ?? 0, ...since.map(({ slowestMs }) => slowestMs)),
    slowestBefore: Math.max(before?.slowestBefore ?? 0, ...seen.map(({ slowestBefore }) => slowestBefore)),
    points: [...(before?.points ?? []), { at, requests: counts.requests, failed: counts['5xx'] }],
    gaps: [...(before?.gaps ?? []), ...(hasEnded ? [{ from, to: at }] : [])],
    processes: new Map(seen.map((one) => [one.pid, one])),
  };
}

/** The time after the last look, when there could be none at the end. */
export function unseenSince(traffic: Traffic, at: number): Traffic {
  const from = traffic.points.at(-1)?.at ?? at;
  return { ...traffic, gaps: [...traffic.gaps, { from, to: at }] };
}
