import type { ClientThread, InstanceState } from '../../database/state.ts';

/** Who waits for an acknowledgement for this long does not wait for a slow network. */
const STUCK_SECONDS = 2;

/** Sessions whose acknowledgement does not come: each commit of a primary at work waits for it, for a moment. */
export function stuckThreads({ waitingForAck, semiSync }: InstanceState): readonly ClientThread[] {
  const { ackers, requiredAcks } = semiSync.source;
  return ackers < requiredAcks
    ? waitingForAck
    : waitingForAck.filter((thread) => thread.seconds >= STUCK_SECONDS);
}
