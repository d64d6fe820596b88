import { isEmpty, parseGtids, subtract, union, type Gtids } from '../../database/gtid.ts';
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
  const nothing = subtract(instance.state.executed, instance.state.executed);
  if (instance === primary) return nothing;
  if (primary?.kind === 'answering') {
    const extra = subtract(instance.state.executed, primary.state.executed);
    return isEmpty(extra) ? nothing : byOthers(extra, primary);
  }
  const extra = onlyThere(survey, instance);
  if (isEmpty(extra)) return nothing;
  const own = byItself(extra, instance);
  const strange = byStrangers(extra, survey, instance);
  return isEmpty(own) || wroteAsPrimary(survey, instance) ? strange : union(own, strange);
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
 * What only one has, from an origin of which nobody else has anything and that nobody follows: somebody put it there
 * with a gtid of his own. Whatever came by way of the primary has a forerunner elsewhere, or is the primary's.
 */
function byStrangers(extra: Gtids, survey: Survey, instance: Answering): Gtids {
  const known = elsewhere(survey, instance);
  if (known.length === 0) return subtract(extra, extra);
  const origins = new Set([
    originOf(instance),
    ...known.flatMap(originsIn),
    ...survey.others.map(({ state }) => state.replication?.sourceUuid ?? ''),
  ]);
  return keep(extra, (origin) => !origins.has(origin));
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

/** What the cluster's primary is known to have had: what it says, or what was seen of it last. */
export function knownOfPrimary(survey: Survey): Gtids | undefined {
  const { primary, topology } = survey;
  if (primary?.kind === 'answering') return primary.state.executed;
  const flavour = survey.others[0]?.state.executed.flavour;
  const { lastSeen, primary: remembered } = topology.memory;
  if (lastSeen === undefined || flavour === undefined || remembered !== primary?.spec.name) return undefined;
  return parseGtids(flavour, lastSeen);
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
  return keep(gtids, (one) => one !== origin);
}

/**
 * What an instance of MySQL wrote itself, the primary has, and it has no more: it was set back to an older state. A
 * receiver leaves out events with the server_id of its own (replicate_same_server_id is off), so it never gets them again.
 */
export function ownLost(primary: Answering, instance: Answering): Gtids {
  const { executed } = instance.state;
  if (executed.flavour !== 'mysql' || instance === primary) return parseGtids(executed.flavour, '');
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
  return keep(gtids, (origin) => members.has(origin));
}

/** Only what an instance wrote itself. */
export function byItself(gtids: Gtids, instance: Answering): Gtids {
  const origin = originOf(instance);
  return keep(gtids, (one) => one === origin);
}

function originOf(instance: Answering): string {
  const { executed, serverId, uuid } = instance.state;
  return executed.flavour === 'mariadb' ? String(serverId) : uuid.toLowerCase();
}

/** The transactions of some origins. */
function keep(gtids: Gtids, wanted: (origin: string) => boolean): Gtids {
  const kept = entriesOf(gtids).filter((entry) => wanted(originIn(entry, gtids)));
  return parseGtids(gtids.flavour, kept.join(','));
}

function originsIn(gtids: Gtids): readonly string[] {
  return entriesOf(gtids).map((entry) => originIn(entry, gtids));
}

function entriesOf(gtids: Gtids): readonly string[] {
  return gtids
    .toString()
    .split(',')
    .map((entry) => entry.trim());
}

/** Each one's origin stands in its name: `UUID:…`, or `DOMAIN-SERVER-…`. */
function originIn(entry: string, { flavour }: Gtids): string {
  const [separator, place] = flavour === 'mysql' ? [':', 0] : ['-', 1];
  return entry.split(separator)[place]?.toLowerCase() ?? '';
}
