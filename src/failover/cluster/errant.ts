import { isEmpty, noGtids, parseGtids, subtract, union, type Gtids } from '../../database/gtid.ts';
import { traitsOf } from '../../database/traits.ts';
import type { Survey } from './survey.ts';
import type { Answering } from './topology.ts';

/**
 * Transactions that should not be there. With a primary that answers: what it does not have. What came from itself is
 * left out, since it may have been written between the two answers. Without one: what this instance wrote itself and
 * nobody else has, unless it wrote it as the primary; and what is of nobody that the cluster knows. What only one has of
 * others came by way of the primary, and is what a failover is about.
 */
export function errantOf(survey: Survey, instance: Answering): Gtids {
  const { primary } = survey;
  const nothing = noGtids(instance.state.executed.flavour);
  if (instance === primary) return nothing;
  if (primary?.kind === 'answering') {
    const extra = subtract(instance.state.executed, primary.state.executed);
    return isEmpty(extra) ? nothing : byOthers(extra, primary);
  }
  const extra = onlyThere(survey, instance);
  if (isEmpty(extra)) return nothing;
  const own = byItself(extra, instance);
  const unknown = ofUnknownOrigin(extra, survey, instance);
  return isEmpty(own) || wroteAsPrimary(survey, instance) ? unknown : union(own, unknown);
}

/** Without a primary that answers: what this instance wrote and nobody who answers knows of. */
export function onlyIts(survey: Survey, instance: Answering): Gtids {
  return byItself(onlyThere(survey, instance), instance);
}

/** What one instance has, and neither the primary was known to have nor anybody has who answers. */
function onlyThere(survey: Survey, instance: Answering): Gtids {
  let extra = instance.state.executed;
  for (const known of elsewhere(survey, instance)) {
    if (isEmpty(extra)) break;
    extra = subtract(extra, known);
  }
  return extra;
}

function elsewhere(survey: Survey, instance: Answering): readonly Gtids[] {
  const others = survey.others.filter((other) => other !== instance).map((other) => survey.holds(other));
  return [knownOfPrimary(survey), historyBefore(survey), ...others].filter((known) => known !== undefined);
}

/**
 * Transactions that only one instance has, from an origin that no other instance knows or follows: somebody committed
 * them there with a GTID of his own. Transactions that came by way of the primary have predecessors of the same origin on
 * other instances, or are the primary's.
 */
function ofUnknownOrigin(extra: Gtids, survey: Survey, instance: Answering): Gtids {
  const known = elsewhere(survey, instance);
  if (known.length === 0) return noGtids(extra.flavour);
  const origins = new Set([
    originOf(instance),
    ...known.flatMap((gtids) => gtids.origins()),
    ...survey.others.map(({ state }) => state.replication?.sourceUuid ?? ''),
  ]);
  return extra.from((origin) => !origins.has(origin));
}

/**
 * Whether what nobody else has may be from a time when this instance was the primary: then it was acknowledged, perhaps
 * by the dead primary alone. The last change made it the primary, or was about to; or nothing is known of the time
 * before the last primary, and others have older writes of it, or there is nobody to compare it with.
 */
function wroteAsPrimary(survey: Survey, instance: Answering): boolean {
  const { primary, unfinished } = survey.topology.memory;
  const { name } = instance.spec;
  if (name === primary || name === unfinished?.from || name === unfinished?.to) return true;
  if (knownOfPrimary(survey) !== undefined || historyBefore(survey) !== undefined) return false;
  const others = survey.others.filter((other) => other !== instance);
  return others.length === 0 || others.some((other) => !isEmpty(byItself(survey.holds(other), instance)));
}

/**
 * What the cluster's primary is known to have had: what it says, or what was seen of it last, and what it began with.
 * The latter it has from the primary before it: that it waits for acknowledgements says nothing about those.
 */
export function knownOfPrimary(survey: Survey): Gtids | undefined {
  const { primary, topology } = survey;
  if (primary?.kind === 'answering') return primary.state.executed;
  const flavour = survey.others[0]?.state.executed.flavour;
  const { lastSeen, began, unfinished, primary: remembered } = topology.memory;
  if (flavour === undefined || primary === undefined) return undefined;
  const { name } = primary.spec;
  const known = [
    ...(remembered === name ? [lastSeen, began] : []),
    ...(unfinished?.to === name ? [unfinished.began] : []),
  ].filter((one) => one !== undefined);
  return known.length === 0
    ? undefined
    : known.map((one) => parseGtids(flavour, one)).reduce((all, one) => union(all, one));
}

/** Everything that may be in the cluster by right and not from the primary: it had it when it became the primary. */
function historyBefore(survey: Survey): Gtids | undefined {
  const { began, primary } = survey.topology.memory;
  const flavour = survey.others[0]?.state.executed.flavour;
  if (began === undefined || flavour === undefined || primary !== survey.primary?.spec.name) return undefined;
  return parseGtids(flavour, began);
}

/** Without what an instance wrote itself: between two answers of a primary at work there is always some of it. */
export function byOthers(gtids: Gtids, than: Answering): Gtids {
  const origin = originOf(than);
  return gtids.from((one) => one !== origin);
}

/**
 * What an instance of MySQL wrote itself, the primary has, and it has no more: it was set back to an older state. A
 * receiver leaves out events with the server_id of its own (replicate_same_server_id is off), so it never gets them again.
 */
export function ownLost(primary: Answering, instance: Answering): Gtids {
  const { executed } = instance.state;
  const { dropsOwnEvents } = traitsOf(executed.flavour);
  if (!dropsOwnEvents || instance === primary) return noGtids(executed.flavour);
  return byItself(subtract(primary.state.executed, executed), instance);
}

/** What other members wrote. */
export function byMembers(gtids: Gtids, survey: Survey, than: Answering): Gtids {
  const members = new Set(
    survey.topology.instances
      .filter((instance): instance is Answering => instance.kind === 'answering')
      .flatMap((instance) => [originOf(instance), instance.state.replication?.sourceUuid.toLowerCase()]),
  );
  members.delete(originOf(than));
  return gtids.from((origin) => members.has(origin));
}

/** Only what an instance wrote itself. */
export function byItself(gtids: Gtids, instance: Answering): Gtids {
  const origin = originOf(instance);
  return gtids.from((one) => one === origin);
}

/** By which name its own transactions are known. */
function originOf({ state }: Answering): string {
  return state.uuid.toLowerCase();
}
