import { traitsOf } from '../../database/traits.ts';
import { contains, count, isEmpty, subtract, type Gtids } from '../../database/gtid.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import type { Survey } from '../cluster/survey.ts';
import type { Answering } from '../cluster/topology.ts';

/** What others hold and this one does not; what is errant on them does not count. */
export function missingAt(survey: Survey, instance: Answering): Gtids {
  return subtract(survey.everything(), survey.holds(instance));
}

/** It has received what it can neither apply nor give to others. */
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

/** The instance that has what the candidate lacks: one without errant transactions first, then the one with the least to apply. */
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

/** Could one that lacks transactions fetch them here, within the time that a promotion may take? */
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

/** Late on purpose, or so far behind that nothing waits for it: what others do must not depend on what it has applied. */
export function isLate(settings: FailoverSettings, { state: { replication } }: Answering): boolean {
  if (replication === undefined) return false;
  return replication.delaySeconds > 0 || (replication.lagSeconds ?? 0) > settings.lagLimitSeconds;
}
