import { listed } from '../../lib/listed.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import type { Answering } from '../cluster/topology.ts';
import { isReplicating } from './primary.ts';
import { when, type Finding, type Row } from './row.ts';

/** What is wrong with a replica that has replicas below it. */
export const INTERMEDIATE_ROWS = [
  deadRow({
    code: 'DeadIntermediatePrimaryWithSingleReplica',
    description: 'An instance with one replica below it died.',
    holds: (survey, below) =>
      below.length === 1 && !isOneOfSeveral(survey) && linkState(survey, below[0]) === 'stopped',
  }),
  deadRow({
    code: 'DeadIntermediatePrimaryWithSingleReplicaFailingToConnect',
    description: 'An instance died, and the one replica below it cannot connect.',
    holds: (survey, below) =>
      below.length === 1 && !isOneOfSeveral(survey) && linkState(survey, below[0]) === 'seeks',
  }),
  deadRow({
    code: 'DeadIntermediatePrimaryAndSomeReplicas',
    description: 'An instance with replicas below it died, and other instances with it.',
    holds: isOneOfSeveral,
  }),
  deadRow({
    code: 'DeadIntermediatePrimary',
    description: 'An instance with several replicas below it died.',
    holds: (survey, below) => below.length > 1 && !isOneOfSeveral(survey),
  }),
  unreachableRow({
    code: 'UnreachableIntermediatePrimaryWithLaggingReplicas',
    description: 'An instance with replicas below it does not answer us; they hear of it and lag.',
    holds: (survey, below) => below.every((one) => lags(survey, one)),
  }),
  unreachableRow({
    code: 'UnreachableIntermediatePrimary',
    description: 'An instance with replicas below it does not answer us; they hear of it.',
    holds: (survey, below) => !below.every((one) => lags(survey, one)),
  }),
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
] as const satisfies readonly Row[];

/** A replica of the primary that has replicas itself and does not answer. */
interface SilentIntermediate<Code extends string> {
  readonly code: Code;
  readonly description: string;
  readonly holds: (survey: Survey, below: readonly Answering[]) => boolean;
}

/** Whether no replica below it hears it. */
function deadRow<const Code extends string>(kind: SilentIntermediate<Code>): Row<Code> {
  return {
    ...silentRow(kind, (survey, below) => !below.some((one) => linkState(survey, one) === 'hears')),
    recovery: 'repair-replica',
  };
}

/** Whether a replica below it still hears it. */
function unreachableRow<const Code extends string>(kind: SilentIntermediate<Code>): Row<Code> {
  return silentRow(kind, (survey, below) => below.some((one) => linkState(survey, one) === 'hears'));
}

/**
 * The replicas below an instance are known from those that answer; a silent replica below it looks like any silent
 * instance.
 */
function silentRow<Code extends string>(
  { code, description, holds }: SilentIntermediate<Code>,
  isOfThisKind: SilentIntermediate<Code>['holds'],
): Row<Code> {
  return {
    code,
    description,
    severity: 'warning',
    find: (survey) =>
      survey.lostOthers.flatMap((instance) => {
        const below = survey.followers(instance.spec.name).filter((one) => one !== survey.primary);
        if (below.length === 0 || survey.primary === undefined) return [];
        const isHeard = below.some((one) => linkState(survey, one) === 'hears');
        return when(isOfThisKind(survey, below) && holds(survey, below), () => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} does not answer us, and ${listed(namesOf(below))} below it ${isHeard ? 'still hears of it' : 'gets nothing any more'}`,
        }));
      }),
    remedy: ({ instance }, survey) =>
      `the watch moves ${listed(namesOf(survey.followers(instance ?? '')))} to the primary when ${instance} stays away`,
  };
}

function linkState(survey: Survey, instance: Answering | undefined): string | undefined {
  return instance && survey.links.get(instance.spec.name)?.state;
}

function isOneOfSeveral(survey: Survey): boolean {
  return survey.lostOthers.length > 1;
}

function lags({ settings }: Survey, { state }: Answering): boolean {
  return (state.replication?.lagSeconds ?? 0) > settings.lagLimitSeconds;
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
