import type { Abilities } from '../../balancer/balancer.ts';
import type { InstanceState, Silence } from '../../database/state.ts';
import type { Memory } from './memory.ts';
import type { PromotionRule } from './promotion-rule.ts';
import type { TailView } from './tail.ts';

/** What the inventory says of an instance. */
export interface InstanceSpec {
  /** `db2`. */
  readonly name: string;
  /** The inventory's host that carries it: `web2`. HAProxy's servers are named after it, too. */
  readonly host: string;
  /** Where the other instances and the balancers reach it. */
  readonly address: string;
  readonly port: number;
  /** Its systemd unit, where the machine carries several: `mariadb@db2`. Undefined: the flavour's own. */
  readonly unit?: string | undefined;
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

/** What one balancer (a proxy, an address or a name by which writers find the primary) says. */
export interface BalancerView {
  readonly name: string;
  /** What it can do; without it, what HAProxy can. */
  readonly abilities?: Abilities | undefined;
  readonly reachable: boolean;
  /** The hosts that it counts as the writer; exactly one is right. */
  readonly writers: readonly string[];
  readonly message?: string | undefined;
}

/** One moment of a whole cluster, as all its members say it. */
export interface Topology {
  readonly cluster: string;
  /** Milliseconds since 1970, when reading began. */
  readonly at: number;
  readonly instances: readonly Instance[];
  readonly balancers: readonly BalancerView[];
  readonly memory: Memory;
  /** What the binary log of a dead primary holds, when somebody has read it. */
  readonly tail?: TailView | undefined;
}
