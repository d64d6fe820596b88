import type { ClientThread, InstanceState } from '../../database/state.ts';

/** A commit that waits longer than this for an acknowledgement does not wait for a slow network. */
const STUCK_SECONDS = 2;

/**
 * The sessions that wait for an acknowledgement which does not come. Every commit of a primary at work waits for one
 * for a moment.
 */
export function stuckThreads({ waitingForAck, semiSync }: InstanceState): readonly ClientThread[] {
  const { ackers, requiredAcks } = semiSync.source;
  return ackers < requiredAcks
    ? waitingForAck
    : waitingForAck.filter((thread) => thread.seconds >= STUCK_SECONDS);
}
