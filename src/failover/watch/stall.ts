import type { InstanceState } from '../../database/state.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import { committingThreads } from '../cluster/stalled.ts';
import { type History, type InstanceRecord, positionOf } from './history.ts';

/*
 * Invariant: a primary that answers counts as stalled only when one session stood in its commit at every look for
 * `stalledAfterMs`, and in that time nothing moved anywhere: no transaction was committed, no byte was written to the
 * primary's binary log, no replica received anything. A busy primary, a commit of many gigabytes, and a large
 * transaction on its way to a replica all move something.
 */

/** Why the primary's commits may come to an end by themselves; undefined: they stall. */
export function doubtOfStall(
  { records, now }: History,
  record: InstanceRecord,
  { stalledAfterMs, longTransactionSeconds }: FailoverSettings,
): string | undefined {
  const { name } = record.spec;
  const old = threadsOf(record.state, longTransactionSeconds);
  const since = Math.min(...old.map((id) => record.committing.get(id) ?? Infinity));
  const stoodMs = record.stateAt - since;
  if (!(stoodMs >= stalledAfterMs)) {
    return `no session of ${name} stands in its commit for ${stalledAfterMs} ms yet`;
  }
  const moved = [...records.values()]
    .filter(({ silence }) => silence === undefined)
    .map(({ spec, advancedAt }) => ({ name: spec.name, ms: now - (advancedAt ?? -Infinity) }))
    .find(({ ms }) => ms < stalledAfterMs);
  return moved === undefined ? undefined : `${moved.name} had something new ${Math.round(moved.ms)} ms ago`;
}

/**
 * Whether a state that was read later shows the same stall: one of the sessions is still there, and the primary has
 * moved nothing since.
 */
export function isSameStall(record: InstanceRecord, later: InstanceState): boolean {
  if (record.state === undefined || positionOf(record.state) !== positionOf(later)) return false;
  return committingThreads(later).some(({ id }) => record.committing.has(id));
}

function threadsOf(state: InstanceState | undefined, seconds: number): readonly number[] {
  if (state === undefined) return [];
  return committingThreads(state)
    .filter((thread) => thread.seconds >= seconds)
    .map(({ id }) => id);
}
