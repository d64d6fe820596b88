import type { InstanceState, Silence } from '../../database/state.ts';

/** How the operators rank an instance as the next primary (Orchestrator's promotion rules). */
export type PromotionRule = 'prefer' | 'neutral' | 'prefer_not' | 'must_not';

/** What the inventory says of an instance. */
export interface InstanceSpec {
  /** `db2`. */
  readonly name: string;
  /** The inventory's host that carries it: `web2`. HAProxy's servers are named after it, too. */
  readonly host: string;
  /** Where the other instances and the balancers reach it. */
  readonly address: string;
  readonly port: number;
  readonly rule: PromotionRule;
  readonly dataCentre: string;
}

/** An instance in a snapshot: it answered, or it did not. */
export type Instance =
  | {
      readonly spec: InstanceSpec;
      readonly kind: 'answering';
      readonly state: InstanceState;
      readonly ms: number;
    }
  | { readonly spec: InstanceSpec; readonly kind: 'silent'; readonly silence: Silence; readonly ms: number };

export type Answering = Extract<Instance, { kind: 'answering' }>;
export type Silent = Extract<Instance, { kind: 'silent' }>;

/** What one balancer's writer backend says, by server name. */
export interface BalancerView {
  readonly name: string;
  readonly reachable: boolean;
  /** Hosts that it counts as the writer; one is right. */
  readonly writers: readonly string[];
  readonly message?: string | undefined;
}

/** What the cluster remembers between runs: a failover's outcome, downtimes, acknowledgements. */
export interface Memory {
  /** Grows with every change of topology; an older one's decisions count for nothing. */
  readonly epoch: number;
  /** The instance that the last change made the primary, as far as is known. */
  readonly primary: string | undefined;
  /** The last GTIDs seen on that primary, in its own notation: what may be lost is measured against it. */
  readonly lastSeen: string | undefined;
  /**
   * What that primary had when it became it, or when it was first seen to be it: all that a former primary wrote as
   * such. What another instance has written beyond it was written where nobody should write.
   */
  readonly began?: string | undefined;
  readonly downtimes: readonly Downtime[];
  /** The last automatic recovery, until somebody acknowledges it. */
  readonly unacknowledged: { readonly id: string; readonly at: number } | undefined;
  readonly paused: { readonly by: string; readonly reason: string; readonly at: number } | undefined;
  /** Rules set at run time beat those of the inventory. */
  readonly rules: Readonly<Record<string, PromotionRule>>;
  /** Instances whose machine was fenced and not released: mysqld is masked there until somebody rejoins them. */
  readonly fenced?: readonly string[] | undefined;
  /** Replicas that an operator has put below another replica, and below which. */
  readonly below?: Readonly<Record<string, string>> | undefined;
  /** Who watches, and when each said so last: milliseconds since 1970. */
  readonly watchers?: Readonly<Record<string, number>> | undefined;
  /** A change that was begun and not ended: the tool was killed in the middle of it. */
  readonly unfinished:
    | { readonly id: string; readonly kind: string; readonly from: string; readonly to: string }
    | undefined;
}

export interface Downtime {
  readonly instance: string;
  readonly until: number;
  readonly reason: string;
  readonly by: string;
}

/** One moment of a whole cluster, as all its members say it. */
export interface Topology {
  readonly cluster: string;
  /** Milliseconds since 1970, when reading began. */
  readonly at: number;
  readonly instances: readonly Instance[];
  readonly balancers: readonly BalancerView[];
  readonly memory: Memory;
}
