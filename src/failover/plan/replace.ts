import type { FailoverSettings } from '../cluster/cluster.ts';
import { surveyOf } from '../cluster/survey-of.ts';
import type { Topology } from '../cluster/topology.ts';
import type { RefusalCode } from './refusal-codes.ts';
import { refusal, type Refusal } from './refusals.ts';
import { rightPrimary } from './rejoin.ts';
import { planRemove } from './remove.ts';

/** What the new server cures by being there. */
const CURED: ReadonlySet<RefusalCode> = new Set(['NeededAcker', 'HoldsAcknowledged']);

/** Why the old one could not leave even when the new one is there: nothing is added for nothing. */
export function replaceRefusals(
  topology: Topology,
  { old, fresh }: { readonly old: string; readonly fresh: string },
  settings: FailoverSettings,
): readonly Refusal[] {
  if (old === fresh) {
    const remedy = `\`failover rejoin ${old} --clone\` makes its data a copy of another one's`;
    return [refusal('AlreadyMember', fresh, `${old} cannot take its own place`, { remedy })];
  }
  if (replacement(topology, fresh, settings) !== 'absent') {
    // One that was a member before adds nothing: whether a replace was cut off, only the operator knows.
    const remedy = `name a server that is no replica yet; after a replace that was cut off, \`failover remove ${old}\` is what is left`;
    return [refusal('AlreadyMember', fresh, `${fresh} is a replica already`, { remedy })];
  }
  const planned = planRemove(topology, old, settings);
  return 'refusals' in planned ? planned.refusals.filter(({ code }) => !CURED.has(code)) : [];
}

/** Why the old one must not leave now: what takes its place is not worth as much. */
export function notReplaced(
  topology: Topology,
  { old, fresh }: { readonly old: string; readonly fresh: string },
  settings: FailoverSettings,
): readonly Refusal[] {
  if (replacement(topology, fresh, settings) === 'ready') return [];
  const remedy = `see \`failover status\`; \`failover remove ${old}\` when ${fresh} is well again`;
  return [
    refusal('NeededAcker', old, `${fresh}, which takes its place, does not follow and acknowledge`, {
      remedy,
    }),
  ];
}

/**
 * How far the new server is: no replica yet; a replica that is not yet worth as much as the one that leaves; one that
 * hears the primary, has nearly all that it has, and acknowledges where the primary waits for that.
 */
export function replacement(
  topology: Topology,
  fresh: string,
  settings: FailoverSettings,
): 'absent' | 'behind' | 'ready' {
  const survey = surveyOf(topology, settings);
  const instance = survey.instance(fresh);
  const primary = rightPrimary(survey);
  const link = survey.links.get(fresh);
  if (instance?.kind !== 'answering' || primary === undefined) return 'absent';
  if (link?.source !== primary || link.state !== 'hears') return 'absent';
  const { replication, semiSync } = instance.state;
  const acknowledges = !primary.state.semiSync.source.enabled || semiSync.replica.active;
  const isNear = (replication?.lagSeconds ?? Infinity) <= settings.lagLimitSeconds;
  return replication?.applier === 'on' && acknowledges && isNear ? 'ready' : 'behind';
}
