import { contains, isEmpty, subtract } from '../../database/gtid.ts';
import type { Plan } from './action.ts';
import { candidatesOf } from './candidates.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import { byOthers } from '../cluster/errant.ts';
import { objections } from './objections.ts';
import { type FailoverWish, planFailover } from './failover.ts';
import { knownLoss, safetyOf } from './safety.ts';
import { closePlan } from './close.ts';
import { planReopen, planSettle } from './settle.ts';
import { refusal, type Planned, type Refusal } from './refusals.ts';
import { rescueRefusals } from './rescue.ts';
import { forceOption } from './risks.ts';
import { step } from './steps.ts';
import { listed } from '../../lib/listed.ts';
import { surveyOf } from '../cluster/survey-of.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import type { Answering, Instance, Topology } from '../cluster/topology.ts';

/** What is wished for beside it. */
export type FinishWish = Pick<FailoverWish, 'rescueTail'>;

/**
 * Plans how to end a change that was cut off (`memory.unfinished`): finish it or take it back, depending on what the
 * servers say now. The plan is of the same kind as that change, so carrying it out also ends the change in memory.
 * Returns undefined when nothing was cut off, or when neither instance can be used and an ordinary promotion decides.
 */
export function planFinish(
  topology: Topology,
  settings: FailoverSettings,
  how: FinishWish = {},
): Planned | undefined {
  return finishOf(surveyOf(topology, settings), how);
}

/**
 * The instance that takes writes is the primary. When none does, the old primary stays the primary as long as it
 * answers and no instance has more than it, because nothing irreversible happened. Otherwise the new primary is chosen,
 * which must have everything that can be reached.
 */
export function finishOf(survey: Survey, how: FinishWish = {}): Planned | undefined {
  const { unfinished } = survey.topology.memory;
  if (unfinished === undefined) return undefined;
  if (unfinished.kind !== 'switchover' && unfinished.kind !== 'failover') return undefined;
  const from = survey.instance(unfinished.from);
  const to = survey.instance(unfinished.to);
  const writable = survey.topology.instances.filter(
    (instance): instance is Answering => instance.kind === 'answering' && !instance.state.readOnly,
  );
  const [only] = writable;
  if (writable.length > 1) {
    // The new primary has taken writes since the point of no return; the other one is the old primary that came back.
    const wrong = writable.find((instance) => instance !== to);
    return to?.kind === 'answering' && writable.includes(to) && wrong !== undefined
      ? { plan: closePlan(survey, wrong, to) }
      : {
          refusals: [
            refusal(
              'TwoWritablePrimaries',
              undefined,
              `a ${unfinished.kind} was cut off, and ${writable.length} instances take writes`,
              { remedy: `decide which is right; the change was to ${unfinished.to}` },
            ),
          ],
        };
  }
  const hidden = hiddenOutcome(survey, from, to);
  if (hidden && (only === undefined || only === from)) return { refusals: [hidden] };
  if (only) {
    // The old primary came back, and the new one has written already.
    return only !== to && wasReplaced(survey, only, unfinished.to)
      ? { plan: closePlan(survey, only, undefined) }
      : { plan: ended(survey, planSettle(survey, only)) };
  }
  if (from?.kind === 'answering' && hasEverything(survey, from) && hasNoBacklog(from)) {
    const reopened = planReopen(survey, from);
    return 'plan' in reopened ? { plan: ended(survey, reopened.plan) } : reopened;
  }
  // What only the old primary has was never acknowledged: enough of the others answer, and none of them has it.
  if (to?.kind === 'answering') {
    const forward = forwards(survey, from, to, to.spec.name, how);
    if (forward !== undefined) return forward;
  }
  const gone = to?.kind === 'answering' ? from : to;
  const best = gone && candidatesOf(surveyOf(survey.topology, survey.settings, gone), 'failover')[0];
  return best?.instance.kind === 'answering'
    ? forwards(survey, gone, best.instance, undefined, how)
    : undefined;
}

/** Plans the rest of the change as a failover, unless that would lose a transaction. */
function forwards(
  survey: Survey,
  from: Instance | undefined,
  to: Answering,
  named: string | undefined,
  { rescueTail }: FinishWish,
): Planned | undefined {
  const forward = surveyOf(survey.topology, survey.settings, from);
  const known = objections(forward, to, 'failover');
  // Without a question nobody can accept a loss.
  const blocking = known.filter(
    ({ risk }) => risk === undefined || risk === 'CannotCatchUp' || risk === 'SplitBrain',
  );
  const lost = from?.kind === 'answering' ? undefined : knownLoss(forward, to);
  if (blocking.length > 0 || !safetyOf(forward).safe || (lost !== undefined && !isEmpty(lost)))
    return undefined;
  // What only an old primary that answers has was never acknowledged.
  const unacknowledged = from?.kind === 'answering' ? (['LosesTransactions'] as const) : [];
  const accepts = [...known.flatMap(({ risk }) => risk ?? []), ...unacknowledged];
  // Which log holds the last writes is not known in the middle of a change.
  const refusals = rescueTail ? rescueRefusals(forward, to) : [];
  if (refusals.length > 0) return { refusals };
  const wish = { to: named, accepts };
  return { plan: ended(survey, planFailover(forward, from, to, wish)) };
}

/**
 * When the new primary and too many other instances do not answer, nobody knows whether it took writes that were
 * acknowledged.
 */
function hiddenOutcome(
  survey: Survey,
  from: Instance | undefined,
  to: Instance | undefined,
): Refusal | undefined {
  if (to?.kind !== 'silent' || from?.kind !== 'answering') return undefined;
  const { wanted, required } = survey.semiSync;
  const silent = survey.topology.instances.filter(
    (instance) => instance.kind === 'silent' && instance !== to,
  );
  if (wanted && silent.length < required) return undefined;
  return refusal(
    'UnknownOutcome',
    to.spec.name,
    `the change to ${to.spec.name} was cut off, and whether it took writes already cannot be told while ${listed(namesOf([to, ...silent]))} ${silent.length === 0 ? 'does' : 'do'} not answer`,
    {
      remedy: `bring ${to.spec.name} back, or \`failover promote ${from.spec.name} ${forceOption(['UnknownOutcome'])}\` when you know that it took none`,
      forceable: true,
    },
  );
}

/** The plan always points the writers: the balancers may still hold them, or point them wrong. */
function ended(survey: Survey, plan: Plan): Plan {
  const { unfinished } = survey.topology.memory;
  if (unfinished === undefined) return plan;
  const { kind, from, to } = unfinished;
  const what = plan.to === to ? 'finishes' : plan.to === from ? 'takes back' : 'replaces';
  const point = step(survey.settings, { do: 'point-writers', instance: plan.to });
  return {
    ...plan,
    kind: kind === 'failover' ? 'failover' : 'switchover',
    from: plan.to === to ? from : plan.kind === 'failover' ? plan.from : to,
    notes: [`this ${what} the ${kind} that was cut off`, ...plan.notes],
    stages: plan.stages.length > 0 ? plan.stages : [[point]],
  };
}

/**
 * Whether the new primary, or a replica of it, has transactions that another instance wrote and this one lacks. Then
 * the new primary took writes.
 */
function wasReplaced(survey: Survey, old: Answering, fresh: string): boolean {
  const to = survey.instance(fresh);
  return [...(to?.kind === 'answering' ? [to] : []), ...survey.followers(fresh)].some(
    (instance) =>
      instance !== old && !isEmpty(byOthers(subtract(survey.holds(instance), old.state.executed), old)),
  );
}

/** The transactions that it has received and not applied come from the new primary, which took writes at that time. */
function hasNoBacklog({ state: { replication } }: Answering): boolean {
  return replication === undefined || isEmpty(replication.backlog);
}

function hasEverything(survey: Survey, instance: Answering): boolean {
  return survey.topology.instances.every(
    (other) =>
      other.kind === 'silent' || other === instance || contains(instance.state.executed, survey.holds(other)),
  );
}
