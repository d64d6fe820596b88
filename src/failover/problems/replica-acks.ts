import { isEmpty } from '../../database/gtid.ts';
import type { Survey } from '../cluster/survey.ts';
import type { Answering } from '../cluster/topology.ts';
import { isReplicating } from './primary.ts';
import { each, when, type Row } from './row.ts';

/** Replicas that do not acknowledge as they should, or should not. */
export const REPLICA_ACK_ROWS = [
  {
    code: 'ReplicaSemiSyncMustBeSet',
    description: 'A replica does not acknowledge, although the cluster wants it.',
    severity: 'warning',
    recovery: 'repair-semi-sync',
    find: (survey) =>
      each(survey, (instance) =>
        when(
          survey.semiSync.wanted &&
            instance.state.semiSync.available &&
            !instance.state.semiSync.replica.enabled &&
            acknowledgementCounts(survey, instance),
          () => ({
            instance: instance.spec.name,
            message: `${instance.spec.name} is not configured to acknowledge`,
          }),
        ),
      ),
    remedy: ({ instance }) => `the watch turns it on at ${instance}; \`provision up\` keeps it so`,
  },
  {
    code: 'ReplicaSemiSyncMustNotBeSet',
    description:
      'A replica acknowledges that could not be promoted, so its acknowledgement is worth nothing.',
    severity: 'warning',
    find: (survey) =>
      each(survey, (instance) =>
        when(
          instance.state.semiSync.replica.enabled &&
            instance.state.replication !== undefined &&
            !acknowledgementCounts(survey, instance),
          () => ({
            instance: instance.spec.name,
            message: `${instance.spec.name} acknowledges writes, and could not be promoted with them`,
          }),
        ),
      ),
    remedy: ({ instance }) =>
      `turn rpl_semi_sync_replica_enabled off at ${instance}, or mend what keeps it from promotion`,
  },
  {
    code: 'ReplicaSemiSyncSourceMustNotBeSet',
    description: 'A replica waits for acknowledgements of what it applies, and stands still without any.',
    severity: 'warning',
    recovery: 'repair-semi-sync',
    find: (survey) =>
      each(survey, (instance) =>
        when(
          instance.state.semiSync.source.enabled &&
            instance.state.readOnly &&
            instance.state.replication !== undefined &&
            survey.topology.memory.unfinished === undefined,
          () => ({
            instance: instance.spec.name,
            message: `${instance.spec.name} is a replica and waits for acknowledgements of its own`,
          }),
        ),
      ),
    remedy: ({ instance }) => `the watch turns it off at ${instance}, where no client can write`,
  },
  {
    code: 'ReplicaSemiSyncInactive',
    description: 'A replica should acknowledge, replicates, and does not.',
    severity: 'warning',
    recovery: 'repair-semi-sync',
    find: (survey) =>
      each(survey, (instance) => {
        const { replica } = instance.state.semiSync;
        return when(
          replica.enabled &&
            !replica.active &&
            survey.view.kind === 'writable' &&
            survey.links.get(instance.spec.name)?.source === survey.primary &&
            isReplicating(survey, instance),
          () => ({
            instance: instance.spec.name,
            message: `${instance.spec.name} replicates and does not acknowledge: its receiver began before semi-sync was on`,
          }),
        );
      }),
    remedy: ({ instance }) => `the watch starts the receiver of ${instance} anew`,
  },
] as const satisfies readonly Row[];

/** An acknowledgement is worth something when the one who gave it could become the primary. */
function acknowledgementCounts(survey: Survey, instance: Answering): boolean {
  const { replication, logBin } = instance.state;
  return (
    logBin &&
    (replication?.delaySeconds ?? 0) === 0 &&
    (replication?.filters ?? []).length === 0 &&
    isEmpty(survey.errant(instance))
  );
}
