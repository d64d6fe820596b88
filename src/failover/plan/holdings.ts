import { traitsOf } from '../../database/traits.ts';
import { contains, count, isEmpty, subtract, type Gtids } from '../../database/gtid.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import type { Survey } from '../cluster/survey.ts';
import type { Answering } from '../cluster/topology.ts';

/** The transactions that other instances hold and this one does not, without those that are errant there. */
export function missingAt(survey: Survey, instance: Answering): Gtids {
  return subtract(survey.everything(), survey.holds(instance));
}

/** Whether the instance has received transactions that it can neither apply nor give to another one. */
export function isStuck(instance: Answering): boolean {
  const { replication } = instance.state;
  if (replication === undefined || replication.applier === 'on' || isEmpty(replication.backlog)) return false;
  return replication.applierError !== undefined || losesBacklogAtStart(instance);
}

/** MariaDB deletes the relay log when it starts to replicate by GTID with neither thread running. */
export function losesBacklogAtStart({ state: { version, replication } }: Answering): boolean {
  return (
    !traitsOf(version.flavour).keepsRelayLogs &&
    replication !== undefined &&
    replication.applier === 'off' &&
    replication.receiver === 'off' &&
    !isEmpty(replication.backlog)
  );
}

/**
 * The instance that has the transactions which the candidate lacks. One without errant transactions comes first, then
 * the one with the smallest backlog.
 */
export function giverFor(survey: Survey, to: Answering): Answering | undefined {
  const missing = missingAt(survey, to);
  if (isEmpty(missing)) return undefined;
  const backlog = (instance: Answering): number =>
    instance.state.replication ? count(instance.state.replication.backlog) : 0;
  const isErrant = (instance: Answering): boolean => !isEmpty(survey.errant(instance));
  return survey.others
    .filter((other) => canGive(survey, other, to) && contains(survey.holds(other), missing))
    .sort(
      (a, b) =>
        Number(isErrant(a)) - Number(isErrant(b)) ||
        Number(isLate(survey.settings, a)) - Number(isLate(survey.settings, b)) ||
        backlog(a) - backlog(b),
    )[0];
}

/** Whether an instance that lacks transactions can fetch them here within the time that a promotion may take. */
export function canGive(survey: Survey, giver: Answering, to: Answering): boolean {
  const { state } = giver;
  return (
    giver !== to &&
    state.logBin &&
    state.logReplicaUpdates &&
    !isStuck(giver) &&
    (state.replication?.delaySeconds ?? 0) === 0 &&
    contains(survey.holds(to), state.purged)
  );
}

/**
 * Whether the replica is delayed on purpose, or so far behind that no plan waits for it. Nothing that the others do may
 * depend on what it has applied.
 */
export function isLate(settings: FailoverSettings, { state: { replication } }: Answering): boolean {
  if (replication === undefined) return false;
  return replication.delaySeconds > 0 || (replication.lagSeconds ?? 0) > settings.lagLimitSeconds;
}
