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
  const planned = planRemove(topology, old, settings);
  return 'refusals' in planned ? planned.refusals.filter(({ code }) => !CURED.has(code)) : [];
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
