import type { InstanceState } from './state.ts';

/** What was seen of a receiver when it was asked last, and when that was seen to change. */
export interface Pulse {
  /** `host:port` of its source. */
  readonly source: string;
  /** How far it had read. */
  readonly mark: string;
  /** The transaction of which a part has come in; empty between two. */
  readonly transaction: string;
  /** Its events are so small that the position moved within it. */
  readonly movedWithin: boolean;
  /** By the clock of `performance.now()`; undefined before anything was seen to move. */
  readonly movedAt: number | undefined;
}

/**
 * A single event may be a gigabyte (compressed transactions): so long the position may stand still while it comes in, where
 * it was not seen to move within the same transaction.
 */
const LONGEST_EVENT_MS = 10_000;

/** The pulse after one more look; a transaction that is coming in at the first look counts as heard then. */
export function pulseOf(
  seen: Omit<Pulse, 'movedAt' | 'movedWithin'>,
  before: Pulse | undefined,
  now: number,
): Pulse {
  const isInTransaction = seen.transaction !== '';
  if (before === undefined || before.source !== seen.source) {
    return { ...seen, movedWithin: false, movedAt: isInTransaction ? now : undefined };
  }
  const isSame = before.transaction === seen.transaction;
  const hasMoved = before.mark !== seen.mark || (isInTransaction && !isSame);
  return {
    ...seen,
    movedWithin: isInTransaction && isSame && (before.movedWithin || hasMoved),
    movedAt: hasMoved ? now : before.movedAt,
  };
}

/**
 * A receiver whose position moves hears its source, whatever the times of heartbeats and of whole transactions say: while
 * a large transaction comes in, there is neither.
 */
export function withPulse(state: InstanceState, pulse: Pulse | undefined, now: number): InstanceState {
  const { replication } = state;
  if (replication === undefined || pulse?.movedAt === undefined) return state;
  const stillMs = now - pulse.movedAt;
  const isMidEvent = pulse.transaction !== '' && !pulse.movedWithin && stillMs < LONGEST_EVENT_MS;
  const silentMs = isMidEvent ? undefined : Math.min(replication.silentMs ?? Infinity, stillMs);
  return { ...state, replication: { ...replication, silentMs } };
}
