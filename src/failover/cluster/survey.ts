import { isEmpty, parseGtids, subtract, union, type Gtids } from '../../database/gtid.ts';
import type { Version } from '../../database/version.ts';
import type { FailoverSettings } from './cluster.ts';
import { errantOf } from './errant.ts';
import { followersOf, linksOf, type Links } from './links.ts';
import { primaryAmong, type PrimaryView } from './primary.ts';
import type { Answering, Instance, PromotionRule, Silent, Topology } from './topology.ts';

/** From this semi-sync timeout on a primary counts as one that never falls back to asynchronous by itself. */
export const ENDLESS_TIMEOUT_MS = 3_600_000;

/** A snapshot with everything that more than one question needs, derived once. */
export interface Survey {
  readonly topology: Topology;
  readonly settings: FailoverSettings;
  readonly links: Links;
  readonly view: PrimaryView;
  /** The primary, whatever its state; of several the likely one. */
  readonly primary: Instance | undefined;
  /** Those that answer and are not the primary. */
  readonly others: readonly Answering[];
  /** Those that are silent and not the primary. */
  readonly lostOthers: readonly Silent[];
  readonly semiSync: SemiSyncWish;
  instance(name: string): Instance | undefined;
  rule(name: string): PromotionRule;
  isInDowntime(name: string): boolean;
  followers(name: string): readonly Answering[];
  /** Executed, and received and not applied yet. */
  holds(instance: Answering): Gtids;
  /** What all who answer and are not the primary hold together, without what is errant. */
  everything(): Gtids;
  /** Transactions that only this one has, and that the primary never had. */
  errant(instance: Answering): Gtids;
}

/** How the cluster acknowledges, as its members are configured. */
export interface SemiSyncWish {
  readonly wanted: boolean;
  readonly required: number;
  /** No member falls back to asynchronous by itself. */
  readonly endless: boolean;
}

/** Reads a snapshot once for all questions about it; `as` judges it as if that one were the primary. */
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

/** Names in a sentence: `db1, db2 and db3`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** Of an older release: transactions go from the older to the newer one. Patches of one release understand each other. */
export function isOlder(one: Version, than: Version): boolean {
  return one.major < than.major || (one.major === than.major && one.minor < than.minor);
}

/** The names of instances. */
export function namesOf(instances: readonly Instance[]): readonly string[] {
  return instances.map((instance) => instance.spec.name);
}

function holdsOf(instance: Answering): Gtids {
  const { executed, replication } = instance.state;
  return replication === undefined || isEmpty(replication.backlog)
    ? executed
    : union(executed, replication.backlog);
}

function everythingOf(survey: Survey): Gtids {
  const flavour = survey.others[0]?.state.executed.flavour ?? 'mysql';
  return survey.others.reduce<Gtids>(
    (all, instance) => {
      const errant = survey.errant(instance);
      const holds = survey.holds(instance);
      return union(all, isEmpty(errant) ? holds : subtract(holds, errant));
    },
    parseGtids(flavour, ''),
  );
}

function semiSyncWish(answering: readonly Answering[]): SemiSyncWish {
  const able = answering.filter((instance) => instance.state.semiSync.available);
  const sources = able.map((instance) => instance.state.semiSync.source);
  return {
    wanted: able.some(({ state: { semiSync } }) => semiSync.source.enabled || semiSync.replica.enabled),
    required: Math.max(1, ...sources.map((source) => source.requiredAcks)),
    endless: sources.every((source) => source.timeoutMs >= ENDLESS_TIMEOUT_MS),
  };
}

function remembered<K, V>(cache: Map<K, V>, key: K, make: (key: K) => V): V {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make(key);
  cache.set(key, made);
  return made;
}
