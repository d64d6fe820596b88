import { count, isEmpty } from '../../database/gtid.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import { isLate, missingAt } from './holdings.ts';
import { objections, wayOf, type Way } from './objections.ts';
import { refusal, type Refusal } from './refusals.ts';
import { surveyOf } from '../cluster/survey-of.ts';
import type { Survey } from '../cluster/survey.ts';
import { PROMOTION_RULES, type PromotionRule } from '../cluster/promotion-rule.ts';
import type { Instance, Topology } from '../cluster/topology.ts';

/** An instance as the next primary. */
export interface Candidate {
  readonly name: string;
  readonly instance: Instance;
  /** Why it cannot be promoted; undefined when it can. */
  readonly limitation: string | undefined;
  readonly rule: PromotionRule;
  /** What speaks for and against it, in words. */
  readonly advantages: readonly string[];
  readonly drawbacks: readonly string[];
  /**
   * How many transactions other instances have and this one has not received; undefined when the instance does not
   * answer.
   */
  readonly behind: number | undefined;
}

/** All instances but the primary, the best first; those with a limitation come last. */
export function candidates(topology: Topology, settings: FailoverSettings): readonly Candidate[] {
  return candidatesOf(surveyOf(topology, settings));
}

/**
 * Ranks the candidates of a snapshot that is surveyed already. When the primary is gone, the replica with the most
 * transactions ranks first, because every transaction that must be fetched costs time. When the primary answers, every
 * replica will have everything, so the operators' promotion rule ranks first.
 */
export function candidatesOf(survey: Survey, way: Way = wayOf(survey)): readonly Candidate[] {
  const ranked = survey.topology.instances
    .filter((instance) => instance !== survey.primary)
    .map((instance) => {
      const found = objections(survey, instance, way);
      return {
        candidate: candidate(survey, instance, found),
        // A candidate that an operator can force ranks before one that nobody can promote.
        limits: found.length === 0 ? 0 : found.every(({ risk }) => risk) ? 1 : 2,
        key: sortKey(survey, instance, way),
      };
    });
  const inOrder = [...ranked].sort((a, b) => {
    if (a.limits !== b.limits) return a.limits - b.limits;
    for (const [index, value] of a.key.entries()) {
      const difference = value - (b.key[index] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  });
  return inOrder.map(({ candidate: one }) => one);
}

/** Smaller is better; compared from left to right. */
function sortKey(survey: Survey, instance: Instance, way: Way): readonly number[] {
  if (instance.kind === 'silent') return [Infinity];
  const { version, replication, semiSync } = instance.state;
  const rule = PROMOTION_RULES.indexOf(survey.rule(instance.spec.name));
  const behind = way === 'failover' ? count(missingAt(survey, instance)) : 0;
  const lag = replication?.lagSeconds ?? (replication?.receiver === 'on' ? 0 : Infinity);
  return [
    ...(isElsewhere(survey, instance) ? [1] : [0]),
    ...(survey.isInDowntime(instance.spec.name) ? [1] : [0]),
    // A replica that is far behind gives its transactions to another one sooner than it could take writes itself.
    ...(way === 'failover'
      ? [Number(isLate(survey.settings, instance)), behind, rule]
      : [rule, Math.floor(lag)]),
    version.major * 1_000_000 + version.minor * 1000 + version.patch,
    semiSync.replica.active || !survey.semiSync.wanted ? 0 : 1,
    replication === undefined ? 0 : count(replication.backlog),
  ];
}

function candidate(survey: Survey, instance: Instance, found: readonly Refusal[]): Candidate {
  const { name } = instance.spec;
  const rule = survey.rule(name);
  const limitation = (found.find(({ risk }) => risk === undefined) ?? found[0])?.message;
  const advantages: string[] = [];
  const drawbacks: string[] = [];
  if (rule === 'prefer') advantages.push('the operators prefer it');
  if (rule === 'prefer_not') drawbacks.push('the operators would rather have another');
  if (isElsewhere(survey, instance))
    drawbacks.push(`it is in another data centre, ${instance.spec.dataCentre}`);
  if (survey.isInDowntime(name)) drawbacks.push('it is in a downtime');
  let behind: number | undefined;
  if (instance.kind === 'answering') {
    const { replication, semiSync } = instance.state;
    behind = count(missingAt(survey, instance));
    if (behind > 0) drawbacks.push(`${behind} transactions must be fetched from another instance first`);
    else advantages.push('no other replica has more');
    if (replication && !isEmpty(replication.backlog)) {
      drawbacks.push(`it has ${count(replication.backlog)} transactions to apply first`);
    }
    if (survey.semiSync.wanted && semiSync.replica.active) advantages.push('it acknowledges writes');
  }
  return {
    name,
    instance,
    limitation: limitation?.startsWith(`${name} `) ? limitation.slice(name.length + 1) : limitation,
    rule,
    advantages,
    drawbacks,
    behind,
  };
}

/**
 * Whether the instance is in another data centre than the primary, and the operators have not allowed a promotion
 * there.
 */
export function isElsewhere(survey: Survey, instance: Instance): boolean {
  const home = survey.primary?.spec.dataCentre;
  return !survey.settings.allowOtherDataCentre && home !== undefined && instance.spec.dataCentre !== home;
}

/** An instance in another data centre is promoted only when the operator names it. */
export function elsewhere(survey: Survey, target: Instance): readonly Refusal[] {
  if (!isElsewhere(survey, target)) return [];
  const { name, dataCentre } = target.spec;
  return [
    refusal('OtherDataCentre', name, `${name} is in another data centre, ${dataCentre}`, {
      remedy: `name it: \`failover promote ${name}\``,
    }),
  ];
}
