import { isEmpty, noGtids, subtract, union, type Gtids } from '../../database/gtid.ts';
import type { FailoverSettings } from './cluster.ts';
import { copierOf } from './copies.ts';
import { errantOf } from './errant.ts';
import { followersOf, linksOf } from './links.ts';
import { primaryAmong } from './primary.ts';
import { waitsForEver, type SemiSyncWish, type Survey } from './survey.ts';
import type { Answering, Instance, Silent, Topology } from './topology.ts';

/** Surveys a snapshot once for all questions about it. With `as`, it takes that instance for the primary. */
export function surveyOf(topology: Topology, settings: FailoverSettings, as?: Instance): Survey {
  const links = linksOf(topology);
  const view = primaryAmong(topology, links);
  const primary =
    as ?? (view.kind === 'several' ? view.likely : view.kind === 'none' ? undefined : view.primary);
  const byName = new Map(topology.instances.map((instance) => [instance.spec.name, instance]));
  const answering = topology.instances.filter(
    (instance): instance is Answering => instance.kind === 'answering',
  );
  const holdings = new Map<Answering, Gtids>();
  const errants = new Map<Answering, Gtids>();
  let everything: Gtids | undefined;
  const survey: Survey = {
    topology,
    settings,
    links,
    view,
    primary,
    others: answering.filter((instance) => instance !== primary),
    lostOthers: topology.instances.filter(
      (instance): instance is Silent => instance.kind === 'silent' && instance !== primary,
    ),
    semiSync: semiSyncWish(answering),
    instance: (name) => byName.get(name),
    rule: (name) => topology.memory.rules[name] ?? byName.get(name)?.spec.rule ?? 'neutral',
    isInDowntime: (name) =>
      copierOf(topology.memory, name, topology.at) !== undefined ||
      topology.memory.downtimes.some(
        (downtime) => downtime.instance === name && downtime.until > topology.at,
      ),
    followers: (name) => followersOf(topology, links, name),
    holds: (instance) => remembered(holdings, instance, holdsOf),
    everything: () => (everything ??= everythingOf(survey)),
    errant: (instance) => remembered(errants, instance, (one) => errantOf(survey, one)),
  };
  return survey;
}

function holdsOf(instance: Answering): Gtids {
  const { executed, replication } = instance.state;
  return replication === undefined || isEmpty(replication.backlog)
    ? executed
    : union(executed, replication.backlog);
}

function everythingOf(survey: Survey): Gtids {
  const flavour = survey.others[0]?.state.executed.flavour ?? 'mysql';
  return survey.others.reduce<Gtids>((all, instance) => {
    const errant = survey.errant(instance);
    const holds = survey.holds(instance);
    return union(all, isEmpty(errant) ? holds : subtract(holds, errant));
  }, noGtids(flavour));
}

function semiSyncWish(answering: readonly Answering[]): SemiSyncWish {
  const able = answering.filter((instance) => instance.state.semiSync.available);
  const sources = able.map((instance) => instance.state.semiSync.source);
  return {
    wanted: able.some(({ state: { semiSync } }) => semiSync.source.enabled || semiSync.replica.enabled),
    required: Math.max(1, ...sources.map((source) => source.requiredAcks)),
    endless: sources.every(waitsForEver),
  };
}

function remembered<K, V>(cache: Map<K, V>, key: K, make: (key: K) => V): V {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make(key);
  cache.set(key, made);
  return made;
}
