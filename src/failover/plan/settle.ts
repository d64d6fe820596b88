import { count, isEmpty, noGtids, parseGtids, subtract, union, type Gtids } from '../../database/gtid.ts';
import type { Plan, Stage } from './action.ts';
import { promotionStages, sortFollowers } from './promotion.ts';
import { notAccepted, refusal, type Planned, type Refusal } from './refusals.ts';
import { forceOption, type RiskCode } from './risks.ts';
import { compact, step } from './steps.ts';
import { surveyOf } from '../cluster/survey-of.ts';
import type { Survey } from '../cluster/survey.ts';
import type { Answering, Instance } from '../cluster/topology.ts';

/*
 * Makes an instance the primary that has everything already: the last part of a change that was cut off, or a primary
 * that came back read-only. Invariants: no other instance that answers takes writes when this one begins to; no
 * follower has transactions of another member that this one lacks; semi-sync is on before the first write.
 */

/**
 * Plans what is missing around a primary that takes writes: replicas, balancers, semi-sync. The plan has no stages when
 * nothing is missing.
 */
export function planSettle(survey: Survey, primary: Answering): Plan {
  const { topology, links, settings } = survey;
  const { name, host } = primary.spec;
  const rest = topology.instances.filter(
    (instance): instance is Answering => instance.kind === 'answering' && instance !== primary,
  );
  // Survey the cluster with this instance as the primary, whichever one the servers' own words point at.
  const own = surveyFor(survey, primary);
  const { fit: fitting, notes } = sortFollowers(own, primary, rest);
  // A replica that still receives from an instance with a history of its own, also by way of other replicas, may get some
  // of that history before it is moved.
  const fit = fitting.filter((instance) =>
    sourcesAbove(survey, instance, primary).every(
      (source) => source.kind !== 'answering' || isEmpty(own.errant(source)),
    ),
  );
  const attached = fit.filter(
    (instance) => leadsTo(survey, instance, primary) && !isBelowTheOther(survey, instance, primary),
  );
  const followers = fit.filter((instance) => !attached.includes(instance));
  const writers = topology.balancers.filter((balancer) => balancer.reachable);
  const balanced = writers.every((balancer) => balancer.writers.length === 1 && balancer.writers[0] === host);
  const isSource = !survey.semiSync.wanted || primary.state.semiSync.source.enabled;
  const isReady =
    followers.length === 0 &&
    balanced &&
    isSource &&
    !primary.state.readOnly &&
    primary.state.replication === undefined;
  const promotion = promotionStages(own, {
    to: primary,
    attached,
    followers,
    old: oldPrimary(survey, primary),
    has: primary.state.executed,
    stopFirst: primary.state.replication !== undefined && !isStopped(primary),
  });
  const stages: readonly Stage[] = [
    // Instances that follow from now on no longer take writes of their own.
    followers
      .filter((instance) => !instance.state.readOnly)
      .map(({ spec }) => step(settings, { do: 'make-read-only', instance: spec.name })),
    followers
      .filter((instance) => !links.has(instance.spec.name))
      .flatMap(({ spec }) => [
        step(settings, { do: 'end-clients', instance: spec.name }),
        step(settings, { do: 'persist-read-only', instance: spec.name }, { optional: true }),
      ]),
    ...promotion.stages,
  ];
  return {
    kind: 'repair',
    from: undefined,
    to: name,
    notes: [...notes, ...promotion.notes],
    lost: '',
    lostCount: 0,
    stages: isReady ? [] : compact(primary.state.readOnly ? stages : forwards(stages)),
  };
}

/**
 * Around a primary that takes writes, nothing is taken back: a replica that follows may have acknowledged writes by then,
 * and would throw them away with its relay log.
 */
function forwards(stages: readonly Stage[]): readonly Stage[] {
  return stages.map((stage) => stage.map((one) => ({ ...one, undo: undefined })));
}

/** Opens a read-only primary when it is proved that no instance has more and no other one takes writes. */
export function planReopen(
  survey: Survey,
  primary: Answering,
  { accepts = [] }: { readonly accepts?: readonly RiskCode[] | undefined } = {},
): Planned {
  const found = reopenRefusals(survey, primary);
  const refusals = notAccepted(found, accepts);
  if (refusals.length > 0) return { refusals };
  const plan = planSettle(survey, primary);
  const gone = goneFrom(survey, primary);
  const accepted = found.flatMap(({ risk }) => risk ?? []);
  if (isEmpty(gone)) return { plan: { ...plan, accepted } };
  const note = `${primary.spec.name} came back without ${count(gone)} transactions that were seen on it, and nobody has them: ${gone.toString()}`;
  return {
    plan: { ...plan, accepted, notes: [note, ...plan.notes], lost: gone.toString(), lostCount: count(gone) },
  };
}

/** The transactions that the instance is known to have had, and lost with its disk or by being set back. */
function goneFrom({ topology }: Survey, { spec, state }: Answering): Gtids {
  const { lastSeen, began, primary } = topology.memory;
  const { executed } = state;
  if (primary !== spec.name) return noGtids(executed.flavour);
  return [lastSeen, began]
    .filter((one) => one !== undefined)
    .map((one) => subtract(parseGtids(executed.flavour, one), executed))
    .reduce((all, one) => union(all, one), noGtids(executed.flavour));
}

/** Every reason why this instance must not be opened. */
export function reopenRefusals(survey: Survey, primary: Answering): readonly Refusal[] {
  const { topology } = survey;
  const { name } = primary.spec;
  const { primary: last } = topology.memory;
  const found: Refusal[] = [];
  for (const other of topology.instances) {
    if (other.kind === 'silent' || other === primary) continue;
    if (!other.state.readOnly) {
      found.push(
        refusal('TwoWritablePrimaries', other.spec.name, `${other.spec.name} takes writes`, {
          remedy: `\`failover rejoin ${other.spec.name}\` first`,
        }),
      );
    }
    // A former primary that no longer follows the one that the last change made the primary knows nothing of it.
    const counts =
      last !== name || topology.memory.unfinished || survey.links.get(other.spec.name)?.source === primary;
    const more = subtract(survey.holds(other), primary.state.executed);
    if (counts && !isEmpty(more)) {
      found.push(
        refusal(
          'PrimaryLacksTransactions',
          name,
          `${other.spec.name} has ${count(more)} transactions that ${name} does not have`,
          {
            remedy: `\`failover promote ${other.spec.name}\` instead`,
            details: [more.toString()],
          },
        ),
      );
    }
  }
  const { replication } = primary.state;
  if (replication !== undefined && !isEmpty(replication.backlog)) {
    found.push(
      refusal(
        'PrimaryHasBacklog',
        name,
        `${name} has received ${count(replication.backlog)} transactions that it has not applied`,
        {
          remedy: `wait until it has, then \`failover promote ${name}\``,
          details: [replication.backlog.toString()],
        },
      ),
    );
  }
  if (last !== undefined && last !== name && !topology.memory.unfinished && !isBelow(survey, last, primary)) {
    found.push(
      refusal('NotTheLastPrimary', name, `the last change made ${last} the primary, and not ${name}`, {
        remedy: `\`failover promote ${last}\` when it answers; \`failover promote ${name} ${forceOption(['NotTheLastPrimary'])}\` loses what only ${last} has`,
        forceable: true,
      }),
    );
  }
  return found;
}

/** Whether the primary that is remembered answers and follows this one: then somebody has moved the primary by hand. */
function isBelow(survey: Survey, remembered: string, primary: Answering): boolean {
  const last = survey.instance(remembered);
  return (
    last?.kind === 'answering' && last.state.readOnly && survey.links.get(remembered)?.source === primary
  );
}

/** The primary that an interrupted change was to replace. */
function oldPrimary(survey: Survey, primary: Answering): Answering | undefined {
  const { unfinished } = survey.topology.memory;
  const from = unfinished && survey.instance(unfinished.from);
  return from?.kind === 'answering' && from !== primary ? from : undefined;
}

/** The interrupted change had moved this replica, or would have: it belongs below the primary itself. */
function isBelowTheOther(survey: Survey, instance: Answering, primary: Answering): boolean {
  const { unfinished } = survey.topology.memory;
  const source = survey.links.get(instance.spec.name)?.source;
  if (unfinished === undefined || source === undefined || source === primary) return false;
  return source.spec.name === unfinished.from || source.spec.name === unfinished.to;
}

/** The instances above this one, up to the primary and without it. */
function sourcesAbove(survey: Survey, instance: Answering, primary: Answering): readonly Instance[] {
  const above: Instance[] = [];
  for (
    let source = survey.links.get(instance.spec.name)?.source;
    source !== undefined && source !== primary && source !== instance && !above.includes(source);
    source = survey.links.get(source.spec.name)?.source
  ) {
    above.push(source);
  }
  return above;
}

/** Whether it follows, also by way of other replicas, with every receiver on the way running. */
function leadsTo(survey: Survey, instance: Answering, primary: Answering): boolean {
  const seen = new Set<string>();
  for (let name = instance.spec.name; !seen.has(name);) {
    if (name === primary.spec.name) return true;
    seen.add(name);
    const link = survey.links.get(name);
    if (link?.source === undefined || link.state === 'stopped') return false;
    name = link.source.spec.name;
  }
  return false;
}

function isStopped(instance: Answering): boolean {
  const { replication } = instance.state;
  return replication?.receiver === 'off' && replication.applier === 'off';
}

/** The same snapshot, surveyed as if this instance were the primary. */
function surveyFor(survey: Survey, primary: Answering): Survey {
  if (survey.primary === primary) return survey;
  return surveyOf(survey.topology, survey.settings, primary);
}
