import type { Action, Plan } from '../plan/action.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { JournalStep } from '../coordination/records.ts';
import type { RiskCode } from '../plan/risks.ts';
import type { Lease } from '../coordination/coordination.ts';
import type { Limits } from '../../database/server.ts';
import type { ObserveOptions } from '../reach/observe.ts';
import type { Ports } from '../reach/ports.ts';
import type { Topology } from '../cluster/topology.ts';

export interface ExecuteOptions {
  readonly cluster: Cluster;
  readonly ports: Ports;
  readonly lease: Lease;
  /** What the plan was made from. */
  readonly topology: Topology;
  readonly who: string;
  readonly reason: string;
  /** The watch did it by itself: somebody has to acknowledge it before the next. */
  readonly automatic?: boolean | undefined;
  /** Written to the entry of an earlier attempt that was taken back, and not to one of its own. */
  readonly retry?: Retry | undefined;
  readonly report?: ((event: StepEvent) => void) | undefined;
  /** What a long step has to say. */
  readonly progress?: ((instance: string, line: string) => void) | undefined;
  /** The operator's Ctrl-C. */
  readonly signal?: AbortSignal | undefined;
  /** Reads the cluster again in the middle of a change; without it the ports are asked. */
  readonly look?: ((options: ObserveOptions) => Promise<Topology>) | undefined;
  /** Carries one action out; without it the ports do. */
  readonly perform?: ((action: Action, limits: Limits) => Promise<Done>) | undefined;
}

/** An attempt that repeats an earlier one. */
export interface Retry {
  /** The journal's entry that they share. */
  readonly id: string;
  /** How many attempts that entry stands for, this one included. */
  readonly attempts: number;
}

/** What there is to say about an action that was carried out. */
export interface Done {
  readonly message?: string | undefined;
  /** What keeps the old primary from taking writes now. */
  readonly fenced?: readonly string[] | undefined;
  /** A server that was stopped before its fence was left stopped when the fence was taken back. */
  readonly leftStopped?: boolean | undefined;
}

/** One step begins, ends, or is taken back. */
export interface StepEvent {
  readonly name: string;
  readonly instance: string | undefined;
  readonly status: JournalStep['status'];
  readonly ms: number;
  readonly message?: string | undefined;
}

/** How a plan ended. */
export interface Outcome {
  readonly id: string;
  readonly epoch: number;
  readonly kind: Plan['kind'];
  readonly from: string | undefined;
  readonly to: string;
  readonly outcome: 'done' | 'undone' | 'failed';
  /** From the old primary's refusing writes to a primary's accepting them; undefined when there was none to refuse. */
  readonly unwritableMs: number | undefined;
  readonly lostGtids: string;
  /** The risks that existed and that the operator had accepted. */
  readonly accepted: readonly RiskCode[];
  /** What keeps the old primary from taking writes. */
  readonly fenced: readonly string[];
  readonly rejoined: readonly string[];
  readonly ms: number;
  /** Steps that may fail, and did: the machine of a dead primary that could not be fenced. */
  readonly warnings: readonly string[];
  /** What is still to be done, a sentence each. */
  readonly left: readonly string[];
  /** Why it was undone or failed. */
  readonly message: string | undefined;
}
