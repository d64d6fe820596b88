import type { InstanceState } from '../../database/state.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import { committingThreads } from '../cluster/stalled.ts';
import type { History, InstanceRecord } from './history.ts';
import { countsOwnBytes, standsStill } from './progress.ts';

/*
 * Invariant: a primary that answers counts as stalled only when one session stood in its commit at every look for
 * `stalledAfterMs`, and in that time nothing that its clients wrote moved anywhere: no transaction was committed, no byte
 * was written to the primary's binary log, no replica received anything new of it. A busy primary, a commit of many
 * gigabytes, and a large transaction on its way to a replica all move something. What moves besides says nothing about
 * the primary (`progress.ts`).
 */

/** Tens of gigabytes at the speed of a slow disk. */
const LONGEST_WRITING_MS = 60_000;

/** Why the primary's commits may come to an end by themselves; undefined: they stall. */
export function doubtOfStall(
  { progress, now }: History,
  record: InstanceRecord,
  { stalledAfterMs, longTransactionSeconds }: FailoverSettings,
): string | undefined {
  const { name } = record.spec;
  const neededMs = Math.max(stalledAfterMs, writingMs(record, longTransactionSeconds));
  const old = threadsOf(record.state, longTransactionSeconds);
  const since = Math.min(...old.map((id) => record.committing.get(id) ?? Infinity));
  const stoodMs = record.stateAt - since;
  if (!(stoodMs >= neededMs)) {
    return `no session of ${name} stands in its commit for ${neededMs} ms yet`;
  }
  const moved = progress?.of === name ? progress.moved : undefined;
  if (moved === undefined || now - moved.at >= stalledAfterMs) return undefined;
  return `${moved.on} had something new of ${name} ${Math.round(now - moved.at)} ms ago`;
}

/**
 * How long a commit may write to the binary log while nobody can see that it does: no longer than its transaction ran
 * before, since it wrote the same bytes to its cache in that time. Zero when the server counts the bytes.
 */
function writingMs({ state, stateAt, committing }: InstanceRecord, longTransactionSeconds: number): number {
  if (state === undefined || countsOwnBytes(state)) return 0;
  const ranMs = state.longTransactions.flatMap(({ id, seconds }) => {
    const since = committing.get(id);
    // Nobody looks at a transaction before it is long: that part of its time may have been its commit already.
    return since === undefined ? [] : [(seconds - longTransactionSeconds) * 1000 - (stateAt - since)];
  });
  return Math.min(LONGEST_WRITING_MS, Math.max(0, ...ranMs));
}

/**
 * Whether a state that was read later shows the same stall: one of the sessions is still there, and the primary has
 * moved nothing since.
 */
export function isSameStall(record: InstanceRecord, later: InstanceState): boolean {
  if (record.state === undefined || !standsStill(record.state, later)) return false;
  return committingThreads(later).some(({ id }) => record.committing.has(id));
}

function threadsOf(state: InstanceState | undefined, seconds: number): readonly number[] {
  if (state === undefined) return [];
  return committingThreads(state)
    .filter((thread) => thread.seconds >= seconds)
    .map(({ id }) => id);
}
