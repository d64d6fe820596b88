import type { EndpointSpec } from './endpoint.ts';
import type { HookName } from './hook-name.ts';
import type { InstanceSpec } from './topology.ts';
import type { Flavour } from '../../database/version.ts';
import type { Secret } from '../../lib/secret.ts';

export interface Account {
  readonly user: string;
  readonly password: Secret;
}

/** One cluster as the operator describes it: in the inventory, or for a daemon in its own file. */
export interface Cluster {
  readonly name: string;
  /** Whether `failover drill` refuses this cluster. */
  readonly production: boolean;
  readonly flavour: Flavour;
  readonly instances: readonly InstanceSpec[];
  /** The hosts by which operators reach everything, and on which HAProxy and the watch are; by inventory name. */
  readonly balancers: readonly BalancerSpec[];
  /** How writers find the primary; without it, by the HAProxy of each balancer. */
  readonly endpoints?: readonly EndpointSpec[] | undefined;
  readonly accounts: {
    readonly failover: Account;
    readonly replication: Account;
    readonly backup: Account;
    /** The account at etcd, when the store is there. */
    readonly etcd?: Account | undefined;
  };
  readonly tls: {
    /** The authority's certificate on the machine that runs the tool; undefined encrypts without verifying. */
    readonly ca: string | undefined;
    /** The authority's certificate on the instances, for their replication channel. */
    readonly replicaCa: string;
  };
  /** `ADDRESS:PORT` of each member; none: files. */
  readonly etcd: readonly string[];
  readonly settings: FailoverSettings;
}

export interface BalancerSpec {
  readonly name: string;
  readonly address: string;
  readonly apiPort: number;
  /** HAProxy's backend whose one server that is up is this cluster's primary. */
  readonly backend: string;
}

/** Times in milliseconds. Every default and its reason is in the schema. */
export interface FailoverSettings {
  /** How long one question to an instance may take. */
  readonly queryTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** How long writes may stand still in a switchover before everything is taken back. */
  readonly switchoverTimeoutMs: number;
  /** How long a candidate may take to apply what it has received. */
  readonly catchUpTimeoutMs: number;
  /** The watch: how often each instance is asked, and how long a silent primary counts as alive. */
  readonly pollMs: number;
  readonly deadAfterMs: number;
  /** How long the commits of a primary that answers may stand still. */
  readonly stalledAfterMs: number;
  /** No second automatic failover within this time, unless the first was acknowledged. */
  readonly antiFlapMs: number;
  readonly lagLimitSeconds: number;
  readonly maxPromotionLagSeconds: number;
  readonly longTransactionSeconds: number;
  readonly allowOtherDataCentre: boolean;
  /**
   * Whether a new primary accepts writes without an acknowledgement when no living replica could give one. By default
   * its writes wait, because an acknowledged write could be lost otherwise.
   */
  readonly asyncWhenAlone?: boolean | undefined;
  readonly hooks: Readonly<Partial<Record<HookName, string>>>;
  /** Statements for the new primary when it has been opened. */
  readonly promotionSql: readonly string[];
  /** Statements for an old primary when it has been demoted. */
  readonly demotionSql: readonly string[];
  readonly notify: {
    readonly webhook?: string | undefined;
    readonly email?: string | undefined;
    readonly command?: string | undefined;
  };
}
