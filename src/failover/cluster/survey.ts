import type { Gtids } from '../../database/gtid.ts';
import type { InstanceState } from '../../database/state.ts';
import type { FailoverSettings } from './cluster.ts';
import type { Links } from './links.ts';
import type { PrimaryView } from './primary.ts';
import type { PromotionRule } from './promotion-rule.ts';
import type { Answering, Instance, Silent, Topology } from './topology.ts';

/** From this semi-sync timeout on a primary counts as one that never falls back to asynchronous by itself. */
export const ENDLESS_TIMEOUT_MS = 3_600_000;

/** Whether a primary with these settings never falls back to asynchronous by itself. */
export function waitsForEver(source: InstanceState['semiSync']['source']): boolean {
  return source.timeoutMs >= ENDLESS_TIMEOUT_MS && source.waitsWithoutReplicas;
}

/** A snapshot with everything that more than one question needs, derived once. */
export interface Survey {
  readonly topology: Topology;
  readonly settings: FailoverSettings;
  readonly links: Links;
  readonly view: PrimaryView;
  /** The primary, whatever its state; when there are several, the most likely one. */
  readonly primary: Instance | undefined;
  /** Instances that answer and are not the primary. */
  readonly others: readonly Answering[];
  /** Instances that do not answer and are not the primary. */
  readonly lostOthers: readonly Silent[];
  readonly semiSync: SemiSyncWish;
  instance(name: string): Instance | undefined;
  rule(name: string): PromotionRule;
  isInDowntime(name: string): boolean;
  followers(name: string): readonly Answering[];
  /** What an instance holds: what it has executed, and what it has received and not applied yet. */
  holds(instance: Answering): Gtids;
  /** What all answering instances other than the primary hold together, without what is errant. */
  everything(): Gtids;
  /** The errant transactions of an instance: it has them, and the primary never had them. */
  errant(instance: Answering): Gtids;
}

/** How the cluster acknowledges, as its members are configured. */
export interface SemiSyncWish {
  readonly wanted: boolean;
  readonly required: number;
  /** Whether no member falls back to asynchronous replication by itself. */
  readonly endless: boolean;
}

/** The names of instances. */
export function namesOf(instances: readonly Instance[]): readonly string[] {
  return instances.map((instance) => instance.spec.name);
}
