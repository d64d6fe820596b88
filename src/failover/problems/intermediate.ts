import { listed } from '../../lib/listed.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import type { Answering } from '../cluster/topology.ts';
import { isReplicating } from './primary.ts';
import { when, type Finding, type Row } from './row.ts';

/** What is wrong with a replica that has replicas below it. */
export const INTERMEDIATE_ROWS: readonly Row[] = [
  ...['Dead', 'Unreachable'].flatMap((how) => intermediateRows(how as 'Dead' | 'Unreachable')),
  {
    code: 'AllIntermediatePrimaryReplicasFailingToConnectOrDead',
    description: 'An instance between the primary and others answers, and none below it can connect.',
    severity: 'warning',
    recovery: 'repair-replica',
    find: (survey) =>
      intermediates(
        survey,
        (below) => below.every((one) => linkState(survey, one) === 'seeks'),
        'can connect to it',
      ),
    remedy: ({ instance }) => `check the network and the accounts of ${instance}`,
  },
  {
    code: 'AllIntermediatePrimaryReplicasNotReplicating',
    description: 'An instance between the primary and others answers, and none below it replicates.',
    severity: 'warning',
    recovery: 'repair-replica',
    find: (survey) =>
      intermediates(
        survey,
        (below) =>
          below.every((one) => !isReplicating(survey, one)) &&
          below.some((one) => linkState(survey, one) !== 'seeks'),
        'replicates',
      ),
    remedy: ({ instance }) => `\`failover status\` says why for each replica of ${instance}`,
  },
];

function linkState(survey: Survey, instance: Answering): string | undefined {
  return survey.links.get(instance.spec.name)?.state;
}

/**
 * A replica of the primary that has replicas itself and does not answer. What hangs below it is known from those that
 * answer; replicas below it that are silent as well look like any silent instance.
 */
function intermediateRows(how: 'Dead' | 'Unreachable'): readonly Row[] {
  const row = (
    suffix: string,
    description: string,
    holds: (survey: Survey, below: readonly Answering[]) => boolean,
  ): Row => ({
    code: `${how}IntermediatePrimary${suffix}`,
    description,
    severity: 'warning',
    recovery: how === 'Dead' ? 'repair-replica' : undefined,
    find: (survey) =>
      survey.lostOthers.flatMap((instance) => {
        const below = survey.followers(instance.spec.name).filter((one) => one !== survey.primary);
        if (below.length === 0 || survey.primary === undefined) return [];
        const heard = below.some((one) => linkState(survey, one) === 'hears');
        return when(heard === (how === 'Unreachable') && holds(survey, below), () => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} does not answer us, and ${listed(namesOf(below))} below it ${heard ? 'still hears of it' : 'gets nothing any more'}`,
        }));
      }),
    remedy: ({ instance }, survey) =>
      `the watch moves ${listed(namesOf(survey.followers(instance ?? '')))} to the primary when ${instance} stays away`,
  });
  const others = (survey: Survey): boolean => survey.lostOthers.length > 1;
  return how === 'Dead'
    ? [
        row(
          'WithSingleReplica',
          'An instance with one replica below it died.',
          (survey, below) =>
            below.length === 1 &&
            !others(survey) &&
            below.every((one) => linkState(survey, one) === 'stopped'),
        ),
        row(
          'WithSingleReplicaFailingToConnect',
          'An instance died, and the one replica below it cannot connect.',
          (survey, below) =>
            below.length === 1 && !others(survey) && below.some((one) => linkState(survey, one) === 'seeks'),
        ),
        row(
          'AndSomeReplicas',
          'An instance with replicas below it died, and other instances with it.',
          (survey) => others(survey),
        ),
        row(
          '',
          'An instance with several replicas below it died.',
          (survey, below) => below.length > 1 && !others(survey),
        ),
      ]
    : [
        row(
          'WithLaggingReplicas',
          'An instance with replicas below it does not answer us; they hear of it and lag.',
          (survey, below) =>
            below.every((one) => (one.state.replication?.lagSeconds ?? 0) > survey.settings.lagLimitSeconds),
        ),
        row('', 'An instance with replicas below it does not answer us; they hear of it.', (survey, below) =>
          below.some((one) => (one.state.replication?.lagSeconds ?? 0) <= survey.settings.lagLimitSeconds),
        ),
      ];
}

/** Replicas that answer and have replicas below them. */
function intermediates(
  survey: Survey,
  holds: (below: readonly Answering[]) => boolean,
  what: string,
): readonly Finding[] {
  return survey.others.flatMap((instance) => {
    const below = survey.followers(instance.spec.name).filter((one) => one !== survey.primary);
    return when(below.length > 0 && holds(below), () => ({
      instance: instance.spec.name,
      message: `${instance.spec.name} answers, and none of those below ${what}: ${listed(namesOf(below))}`,
    }));
  });
}
