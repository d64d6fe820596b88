import { isEmpty } from '../../database/gtid.ts';
import type { Plan, Stage } from '../plan/action.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import { finishOf } from '../plan/finish.ts';
import { planPromote } from '../plan/promote.ts';
import { closePlan, fencePlan } from '../plan/close.ts';
import { planRejoin, rightPrimary } from '../plan/rejoin.ts';
import { planRelocate } from '../plan/relocate.ts';
import { planReopen } from '../plan/settle.ts';
import { isFollowing } from '../cluster/links.ts';
import type { Problem } from './problems.ts';
import { refusal, type Planned } from '../plan/refusals.ts';
import { compact, step } from '../plan/steps.ts';
import { surveyOf } from '../cluster/survey-of.ts';
import type { Survey } from '../cluster/survey.ts';
import type { Answering, Topology } from '../cluster/topology.ts';

/*
 * Invariants: a repair never makes an instance writable that another one could contradict (planReopen proves it), never
 * replaces data, and starts nothing that an error has stopped.
 */

/** Plans the automatic recovery of a problem: its row's `recovery`, for this topology. */
export function planRepair(topology: Topology, problem: Problem, settings: FailoverSettings): Planned {
  const survey = surveyOf(topology, settings);
  const name = problem.instance;
  const instance = name === undefined ? undefined : survey.instance(name);
  const answering = instance?.kind === 'answering' ? instance : undefined;
  switch (problem.recovery) {
    case undefined:
      return nothing(problem, 'it is left to a person');
    case 'failover':
      return planPromote(
        topology,
        { automatic: true, lockedUp: problem.code === 'OverloadedPrimary' },
        settings,
      );
    case 'reopen-primary':
      if (topology.memory.unfinished) return finishOf(survey) ?? nothing(problem, 'nothing is left to do');
      return answering ? planReopen(survey, answering) : nothing(problem, 'it does not answer');
    case 'fence': {
      if (instance?.kind === 'silent' && survey.view.kind === 'several' && survey.view.likely === instance)
        return nothing(problem, 'the replicas take it for the right one');
      if (instance?.kind === 'silent') return { plan: { ...fencePlan(settings, instance), kind: 'repair' } };
      if (answering === undefined || answering === survey.primary)
        return nothing(problem, 'it does not answer');
      if (survey.view.kind === 'several' && survey.view.likely === undefined) {
        return nothing(problem, 'nothing says which of them is right');
      }
      return { plan: { ...closePlan(survey, answering, rightPrimary(survey)), kind: 'repair' } };
    }
    case 'rejoin':
      return name === undefined
        ? nothing(problem, 'it names no instance')
        : planRejoin(topology, { instance: name }, settings);
    case 'repair-replica':
      return repairReplicas(survey, problem, answering);
    case 'repair-semi-sync':
      return repairSemiSync(survey, problem, answering);
    case 'repoint-balancer':
      return survey.view.kind === 'writable'
        ? repair(problem, survey.view.primary.spec.name, [
            [step(settings, { do: 'point-writers', instance: survey.view.primary.spec.name })],
          ])
        : nothing(problem, 'there is no primary that takes writes');
  }
}

/** One replica, or all below the one that is named. */
function repairReplicas(survey: Survey, problem: Problem, instance: Answering | undefined): Planned {
  const { topology, settings, view } = survey;
  if (view.kind !== 'writable') return nothing(problem, 'there is no primary that takes writes');
  const all =
    instance && instance !== view.primary && problem.code !== 'AllIntermediatePrimaryReplicasNotReplicating'
      ? [instance]
      : survey.followers(problem.instance ?? '').filter((one) => one !== view.primary);
  const start: Stage[] = [];
  for (const one of all) {
    const { name } = one.spec;
    const { replication } = one.state;
    const link = survey.links.get(name);
    if (replication === undefined) return planRejoin(topology, { instance: name }, settings);
    const source = link?.source;
    const isWrong =
      source !== view.primary && (source?.kind !== 'answering' || !isFollowing(survey.links, source));
    // A replica that follows the wrong source is relocated, and not started.
    const isMisplaced = problem.code === 'ConnectedToWrongPrimary' || problem.code === 'ReplicaBelowReplica';
    if (isWrong || source === undefined || isMisplaced) {
      return planRelocate(topology, { instance: name, below: view.primary.spec.name }, settings);
    }
    if (!replication.autoPosition)
      return planRelocate(topology, { instance: name, below: source.spec.name }, settings);
    const isOff = replication.receiver === 'off' || replication.applier === 'off';
    const error = replication.applier === 'off' ? replication.applierError : replication.receiverError;
    if (isOff && error === undefined && isEmpty(survey.errant(one)))
      start.push([step(settings, { do: 'start-replica', instance: name })]);
  }
  return start.length > 0
    ? repair(problem, problem.instance ?? view.primary.spec.name, [start.flat()])
    : nothing(problem, 'an error has stopped it, or it tries to connect already');
}

function repairSemiSync(survey: Survey, problem: Problem, instance: Answering | undefined): Planned {
  const { settings, view } = survey;
  if (view.kind !== 'writable' || instance === undefined) return nothing(problem, 'it does not answer');
  const { primary } = view;
  if (instance !== primary) {
    const { name } = instance.spec;
    return problem.code === 'ReplicaSemiSyncSourceMustNotBeSet'
      ? repair(problem, name, [
          // Commits that still wait there must not be acknowledged.
          [step(settings, { do: 'end-clients', instance: name })],
          [step(settings, { do: 'semi-sync-source', instance: name, on: false })],
        ])
      : repair(problem, name, replicaStages(survey, instance));
  }
  const { source } = primary.state.semiSync;
  const { name } = primary.spec;
  const lame = survey
    .followers(name)
    .filter(
      (one) =>
        one.state.semiSync.available &&
        (!one.state.semiSync.replica.enabled ||
          (one.state.replication?.receiver === 'off' && one.state.replication.receiverError === undefined)),
    );
  const first = lame.flatMap((one) => replicaStages(survey, one));
  if (!source.enabled || !source.active) {
    const ready = survey
      .followers(name)
      .filter((one) => survey.links.get(one.spec.name)?.state === 'hears').length;
    if (ready < source.requiredAcks) {
      return first.length > 0
        ? repair(problem, name, first)
        : nothing(problem, 'too few replicas could acknowledge: writes would wait');
    }
    return repair(problem, name, [
      ...first,
      // No commit waits while the primary is asynchronous, so turning semi-sync off acknowledges none.
      source.enabled
        ? [
            step(
              settings,
              { do: 'semi-sync-source', instance: name, on: false },
              { name: 'semi-sync-source-off' },
            ),
          ]
        : [],
      [step(settings, { do: 'semi-sync-source', instance: name, on: true })],
      [step(settings, { do: 'await-ackers', instance: name, count: source.requiredAcks })],
    ]);
  }
  return first.length > 0
    ? repair(problem, name, first)
    : nothing(problem, 'no replica that answers could acknowledge');
}

/** A receiver takes part in semi-sync from its next connection on; what it has received is applied before. */
function replicaStages(survey: Survey, instance: Answering): readonly Stage[] {
  const { settings } = survey;
  const { name } = instance.spec;
  const { replication, semiSync } = instance.state;
  return [
    semiSync.replica.enabled ? [] : [step(settings, { do: 'semi-sync-replica', instance: name, on: true })],
    replication?.receiver === 'on'
      ? [
          step(
            settings,
            { do: 'stop-receiver', instance: name },
            { undo: [{ do: 'start-receiver', instance: name }] },
          ),
        ]
      : [],
    replication?.receiver === 'on' && replication.applier === 'on'
      ? [step(settings, { do: 'apply-backlog', instance: name })]
      : [],
    [step(settings, { do: 'start-receiver', instance: name })],
  ];
}

function repair(problem: Problem, to: string, stages: readonly Stage[]): Planned {
  const plan: Plan = {
    kind: 'repair',
    from: undefined,
    to,
    notes: [`${problem.code}: ${problem.message}`],
    lost: '',
    lostCount: 0,
    stages: compact(stages),
  };
  return { plan };
}

function nothing(problem: Problem, why: string): Planned {
  return {
    refusals: [
      refusal('NothingToRepair', problem.instance, `${problem.code}: ${why}`, { remedy: problem.remedy }),
    ],
  };
}
