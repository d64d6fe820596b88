import type { InstanceState } from './state.ts';

/** What was seen of a receiver when it was asked last, and when that was seen to change. */
export interface Pulse {
  /** `host:port` of its source. */
  readonly source: string;
  /** How far it had read. */
  readonly mark: string;
  /** Half a transaction has come in. */
  readonly isInTransaction: boolean;
  /** By the clock of `performance.now()`; undefined before anything was seen to move. */
  readonly movedAt: number | undefined;
}

/** A single event may be a gigabyte (compressed transactions): so long the position may stand still while it comes in. */
const LONGEST_EVENT_MS = 10_000;

/** The pulse after one more look; a transaction that is coming in at the first look counts as heard then. */
export function pulseOf(seen: Omit<Pulse, 'movedAt'>, before: Pulse | undefined, now: number): Pulse {
  if (before === undefined || before.source !== seen.source) {
    return { ...seen, movedAt: seen.isInTransaction ? now : undefined };
  }
  const hasMoved = before.mark !== seen.mark || (seen.isInTransaction && !before.isInTransaction);
  return { ...seen, movedAt: hasMoved ? now : before.movedAt };
}

/**
 * A receiver whose position moves hears its source, whatever the times of heartbeats and of whole transactions say: while
 * a large transaction comes in, there is neither.
 */
export function withPulse(state: InstanceState, pulse: Pulse | undefined, now: number): InstanceState {
  const { replication } = state;
  if (replication === undefined || pulse?.movedAt === undefined) return state;
  const stillMs = now - pulse.movedAt;
  const isMidEvent = pulse.isInTransaction && stillMs < LONGEST_EVENT_MS;
  const silentMs = isMidEvent ? undefined : Math.min(replication.silentMs ?? Infinity, stillMs);
  return { ...state, replication: { ...replication, silentMs } };
}
