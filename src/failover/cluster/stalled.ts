import type { ClientThread, InstanceState } from '../../database/state.ts';
import type { Survey } from './survey.ts';

/*
 * Why commits on a primary that answers do not end although every acknowledgement could come. A snapshot shows only the
 * commits that may be stalled: those of transactions older than `failover_long_transaction_seconds`, since a slow disk is
 * better than a failover. That one of them stalls, and not just passes through its commit, takes several looks at the same
 * session (`watch/stall.ts`).
 */

/** Commits of the primary that wait for space on its disk. */
export function commitsWithoutDiskSpace(survey: Survey): readonly ClientThread[] {
  return oldTransactions(survey).filter(lacksDiskSpace);
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

/** Sessions in whose commit one look finds them: they write to the disk, lack space, or wait for an acknowledgement. */
export function committingThreads({
  longTransactions,
  waitingForAck,
}: InstanceState): readonly ClientThread[] {
  return [
    ...longTransactions.filter((thread) => isCommitting(thread) || lacksDiskSpace(thread)),
    ...waitingForAck,
  ];
}

/** Whether its disk, or the disks of its replicas, keep the primary's commits from ending. */
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

function lacksDiskSpace({ state }: ClientThread): boolean {
  return /disk space|disk full/i.test(state);
}

/** The server's own words for a commit that is on its way to the disk. */
function isCommitting({ state }: ClientThread): boolean {
  return (
    /waiting for handler commit|starting commit|^commit|committing|binlog commit|sync.*(log|disk)|flush.*log/i.test(
      state,
    ) && !/ack|alter table/i.test(state)
  );
}
