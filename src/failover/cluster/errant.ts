import { isEmpty, noGtids, parseGtids, subtract, union, type Gtids } from '../../database/gtid.ts';
import { traitsOf } from '../../database/traits.ts';
import type { Survey } from './survey.ts';
import type { Answering } from './topology.ts';

/**
 * The transactions that an instance should not have. When a primary answers, those are the transactions that it does
 * not have, except its own, which it may have written between the two answers. Without a primary, they are what the
 * instance wrote itself and no other one has, unless it wrote them as the primary, and the transactions of a source
 * that the cluster does not know. A transaction of another member that only this instance has came by way of the
 * primary; a failover decides about it.
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

/** When no primary answers: the transactions that this instance wrote and that no instance which answers has. */
export function onlyIts(survey: Survey, instance: Answering): Gtids {
  return byItself(onlyThere(survey, instance), instance);
}

/**
 * The transactions that one instance has, that no other instance which answers has, and that the primary was not known
 * to have.
 */
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
 * Transactions that only one instance has, of a source that no other instance knows or follows: somebody committed them
 * there with a GTID of their own. Transactions that came by way of the primary have predecessors of the same source on
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
 * Whether transactions that no other instance has may be from a time when this instance was the primary. Then they were
 * acknowledged, perhaps by the dead primary alone. That may be so when the last change made it the primary or was about
 * to, or when nothing is known of the time before the last primary and either other instances have older writes of it
 * or there is no instance to compare it with.
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
 * The transactions that the cluster's primary is known to have had: those that it reports or that were last seen of it,
 * and those that it began with. It got the latter from the primary before it, so its own waiting for acknowledgements
 * says nothing about them.
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

/**
 * The transactions that may rightly be in the cluster without the primary having written them: it had them when it
 * became the primary.
 */
function historyBefore(survey: Survey): Gtids | undefined {
  const { began, primary } = survey.topology.memory;
  const flavour = survey.others[0]?.state.executed.flavour;
  if (began === undefined || flavour === undefined || primary !== survey.primary?.spec.name) return undefined;
  return parseGtids(flavour, began);
}

/** Leaves out what an instance wrote itself: between two answers of a primary at work there is always some of it. */
export function byOthers(gtids: Gtids, than: Answering): Gtids {
  const origin = originOf(than);
  return gtids.from((one) => one !== origin);
}

/**
 * The transactions that a MySQL instance wrote itself, that the primary has, and that the instance no longer has: it
 * was set back to an older state. Its receiver leaves out events with its own server_id (replicate_same_server_id is
 * off), so it never gets them again.
 */
export function ownLost(primary: Answering, instance: Answering): Gtids {
  const { executed } = instance.state;
  const { dropsOwnEvents } = traitsOf(executed.flavour);
  if (!dropsOwnEvents || instance === primary) return noGtids(executed.flavour);
  return byItself(subtract(primary.state.executed, executed), instance);
}

/** The transactions that other members wrote. */
export function byMembers(gtids: Gtids, survey: Survey, than: Answering): Gtids {
  const members = new Set(
    survey.topology.instances
      .filter((instance): instance is Answering => instance.kind === 'answering')
      .flatMap((instance) => [originOf(instance), instance.state.replication?.sourceUuid.toLowerCase()]),
  );
  members.delete(originOf(than));
  return gtids.from((origin) => members.has(origin));
}

/** The transactions that an instance wrote itself. */
export function byItself(gtids: Gtids, instance: Answering): Gtids {
  const origin = originOf(instance);
  return gtids.from((one) => one === origin);
}

/** The name by which the instance's own transactions are known. */
function originOf({ state }: Answering): string {
  return state.uuid.toLowerCase();
}
