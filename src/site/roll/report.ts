import { type Counts, countsBy } from '../counters.ts';
import type { RollRecord } from './record.ts';
import type { Traffic } from './traffic.ts';

/** What became of a roll, and of the requests that came meanwhile. */
export interface RollReport {
  readonly record: RollRecord;
  /** By balancer: what it counted since the roll began, or why that is not known. */
  readonly traffic: ReadonlyMap<string, Traffic | string>;
}

/** All balancers together. */
export interface TotalTraffic {
  readonly counts: Counts;
  /** The slowest request in milliseconds; undefined when there was none. */
  readonly slowestMs: number | undefined;
  /** None was slower than one before the roll: the time is that one's. */
  readonly slowestIsBound: boolean;
  /** What could not be counted, in sentences. */
  readonly notCounted: readonly string[];
}

/** Sums up what the balancers counted; undefined when none of them said anything. */
export function totalTraffic({ record, traffic }: RollReport): TotalTraffic | undefined {
  const known = [...traffic].flatMap(([balancer, one]) =>
    typeof one === 'string' ? [] : [{ balancer, one }],
  );
  if (known.length === 0) return undefined;
  const counts = countsBy((name) => known.reduce((sum, { one }) => sum + one.counts[name], 0));
  const slowest = Math.max(...known.map(({ one }) => one.slowestMs));
  const before = Math.max(...known.map(({ one }) => one.slowestBefore));
  return {
    counts,
    slowestMs: counts.requests === 0 ? undefined : Math.max(slowest, before),
    slowestIsBound: before > slowest,
    notCounted: [
      ...resumeText(record, Math.min(...known.map(({ one }) => one.points[0]?.at ?? record.startedAt))),
      ...[...traffic].flatMap(([balancer, one]) =>
        typeof one === 'string'
          ? [one.startsWith(`${balancer}: `) ? one : `${balancer}: ${one}`]
          : gapText(balancer, one),
      ),
    ],
  };
}

/** From then on the first look is later than a roll that begins would take it. */
const RESUMED_MS = 15_000;

function resumeText({ startedAt }: RollRecord, firstLook: number): readonly string[] {
  const ms = firstLook - startedAt;
  return ms < RESUMED_MS
    ? []
    : [`what came before the roll was resumed, ${(ms / 1000).toFixed(0)} s after its beginning`];
}

function gapText(balancer: string, { gaps }: Traffic): readonly string[] {
  if (gaps.length === 0) return [];
  const seconds = gaps.reduce((sum, { from, to }) => sum + to - from, 0) / 1000;
  const times = gaps.length === 1 ? 'once' : `${gaps.length} times`;
  return [
    `${balancer}: what processes of HAProxy served after they were last asked, before they ended (${times}, ${seconds.toFixed(1)} s at most)`,
  ];
}
