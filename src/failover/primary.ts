import type { Answering, Silent, Topology } from './topology.ts';

/** Who the primary is, as the servers say it first and the cluster's memory second. */
export type PrimaryView =
  /** One answers, takes writes, and is nobody's replica. */
  | { readonly kind: 'writable'; readonly primary: Answering }
  /** The others follow it (or memory names it), it answers, and it takes no writes. */
  | { readonly kind: 'read-only'; readonly primary: Answering }
  /** It gave no state but a server's answer: too many connections, access denied, still starting. It lives. */
  | { readonly kind: 'overloaded'; readonly primary: Silent; readonly witnesses: Witnesses }
  /** We hear nothing of it, but a replica does: it lives, and we may be the ones who are cut off. */
  | { readonly kind: 'unreachable'; readonly primary: Silent; readonly witnesses: Witnesses }
  /** Neither we nor any replica that answers hears of it, and at least one replica answers. */
  | { readonly kind: 'dead'; readonly primary: Silent; readonly witnesses: Witnesses }
  /** We hear nothing of it, and nobody answers whom we could ask: it may be us. */
  | { readonly kind: 'unknown'; readonly primary: Silent; readonly witnesses: Witnesses }
  /** Two or more may take writes: those that answer, and one that only its replicas can reach. */
  | {
      readonly kind: 'several';
      readonly writable: readonly Answering[];
      readonly unreachable: Silent | undefined;
      /** The one that the replicas and memory agree on. */
      readonly likely: Answering | Silent | undefined;
    }
  /** Nobody takes writes, follows anybody, or is remembered. */
  | { readonly kind: 'none' };

/** What the replicas of a silent primary say about it, by name. */
export interface Witnesses {
  /** Those that heard of it within the last moments. */
  readonly connected: readonly string[];
  /** Those whose receiver wants to reach it and cannot. */
  readonly cutOff: readonly string[];
  /** Those that say nothing about it: their receiver is stopped, or they follow somebody else. */
  readonly stopped: readonly string[];
  /** Those that are silent themselves. */
  readonly silent: readonly string[];
}

/** Derived anew from each snapshot; memory only decides what the servers leave open. */
export function primaryOf(_topology: Topology): PrimaryView {
  throw new Error('not written yet');
}
