import { contains, isEmpty } from '../mysql/gtid.ts';
import type { Plan } from './action.ts';
import type { FailoverSettings } from './cluster.ts';
import { objections } from './objections.ts';
import { knownLoss, planFailover, safetyOf } from './plan-failover.ts';
import { planReopen, planSettle } from './plan-settle.ts';
import { refusal, type Planned } from './refusals.ts';
import { surveyOf, type Survey } from './survey.ts';
import type { Answering, Topology } from './topology.ts';

/**
 * What to do about a change that was cut off (`memory.unfinished`): finish it or take it back, as the servers say now.
 * Undefined when nothing is left to do: memory may forget it.
 */
export function planFinish(topology: Topology, settings: FailoverSettings): Planned | undefined {
  return finishOf(surveyOf(topology, settings));
}

/**
 * One rule: whoever takes writes is the primary. When nobody does, the old primary is, as long as it answers and nobody
 * has more than it (nothing irreversible happened); otherwise the new one, which must have everything that is reachable.
 */
export function finishOf(survey: Survey): Planned | undefined {
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
    return {
      refusals: [
        refusal(
          'TwoWritablePrimaries',
          undefined,
          `a ${unfinished.kind} was cut off, and ${writable.length} instances take writes`,
          {
            remedy: `decide which is right; the change was to ${unfinished.to}`,
          },
        ),
      ],
    };
  }
  if (only)
    return settled(planSettle(survey, only), only === to ? 'finishes' : 'takes back', unfinished.kind);

  if (from?.kind === 'answering' && hasEverything(survey, from)) {
    const reopened = planReopen(survey, from);
    return 'plan' in reopened ? settled(reopened.plan, 'takes back', unfinished.kind) : reopened;
  }
  if (to?.kind === 'answering') {
    const forward = surveyOf(survey.topology, survey.settings, from);
    const blocking = objections(forward, to, 'failover').filter((one) => !one.forceable);
    const lost = knownLoss(forward, to);
    if (blocking.length === 0 && safetyOf(forward).safe && (lost === undefined || isEmpty(lost))) {
      return settled(planFailover(forward, from, to), 'finishes', unfinished.kind);
    }
  }
  // Neither can be used: memory keeps the change, and an ordinary promotion of another instance decides.
  return undefined;
}

function settled(plan: Plan, what: 'finishes' | 'takes back', kind: string): Planned | undefined {
  if (plan.stages.length === 0) return undefined;
  return { plan: { ...plan, notes: [`this ${what} the ${kind} that was cut off`, ...plan.notes] } };
}

function hasEverything(survey: Survey, instance: Answering): boolean {
  return survey.topology.instances.every(
    (other) =>
      other.kind === 'silent' || other === instance || contains(instance.state.executed, survey.holds(other)),
  );
}
