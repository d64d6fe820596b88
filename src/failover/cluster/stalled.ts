import type { ClientThread } from '../../database/state.ts';
import type { Survey } from './survey.ts';

/*
 * Why commits on a primary that answers do not end although every acknowledgement could come. A commit counts as
 * stalled when it is older than `failover_long_transaction_seconds`: a slow disk is better than a failover.
 */

/** Commits of the primary that wait for space on its disk. */
export function commitsWithoutDiskSpace(survey: Survey): readonly ClientThread[] {
  return oldTransactions(survey).filter((thread) => /disk space|disk full/i.test(thread.state));
}

/** Commits of the primary that are on their way to its disk and do not arrive. */
export function commitsStuckOnDisk(survey: Survey): readonly ClientThread[] {
  return oldTransactions(survey).filter(isCommitting);
}

/** Commits of the primary that wait for an acknowledgement although enough replicas are connected to give one. */
export function commitsNotAcknowledged(survey: Survey): readonly ClientThread[] {
  if (survey.view.kind !== 'writable') return [];
  const { waitingForAck, semiSync } = survey.view.primary.state;
  const { enabled, ackers, requiredAcks } = semiSync.source;
  return enabled && ackers >= requiredAcks ? waitingForAck.filter((thread) => isOld(survey, thread)) : [];
}

/** Does its disk, or the disks of its replicas, keep the primary's commits from ending? */
export function isStalled(survey: Survey): boolean {
  return [commitsWithoutDiskSpace, commitsStuckOnDisk, commitsNotAcknowledged].some(
    (stalled) => stalled(survey).length > 0,
  );
}

function oldTransactions(survey: Survey): readonly ClientThread[] {
  if (survey.view.kind !== 'writable') return [];
  return survey.view.primary.state.longTransactions.filter((thread) => isOld(survey, thread));
}

function isOld({ settings }: Survey, { seconds }: ClientThread): boolean {
  return seconds >= settings.longTransactionSeconds;
}

/** The server's own words for a commit that is on its way to the disk. */
function isCommitting({ state }: ClientThread): boolean {
  return (
    /waiting for handler commit|starting commit|^commit|committing|binlog commit|sync.*(log|disk)|flush.*log/i.test(
      state,
    ) && !/ack/i.test(state)
  );
}
