import type { ChangeKind } from '../cluster/change-kind.ts';
import type { HookName } from '../cluster/hook-name.ts';
import type { RefusalCode } from './refusal-codes.ts';

/**
 * What a plan may do, as data. An action names its instance by `spec.name`; each may be repeated, and is written to
 * the journal before it is carried out and after.
 */
export type Action =
  /**
   * HAProxy: new writer sessions wait (they are not refused), for this long at most. Refused where `for`, which is to
   * become the writer, is unknown.
   */
  | { readonly do: 'hold-writers'; readonly ms: number; readonly for?: string }
  | { readonly do: 'release-writers' }
  /** HAProxy: sessions to the instance end, and it is no writer until its own check says so again. */
  | { readonly do: 'end-writers'; readonly instance: string }
  /** HAProxy: this one is the writer, now and not only after its next check. */
  | { readonly do: 'point-writers'; readonly instance: string }
  | { readonly do: 'stop-receiver'; readonly instance: string }
  | { readonly do: 'start-receiver'; readonly instance: string }
  | { readonly do: 'start-applier'; readonly instance: string }
  | { readonly do: 'stop-applier'; readonly instance: string }
  | { readonly do: 'stop-replica'; readonly instance: string }
  | { readonly do: 'start-replica'; readonly instance: string }
  | { readonly do: 'follow'; readonly instance: string; readonly source: string; readonly demoted: boolean }
  | { readonly do: 'forget-source'; readonly instance: string }
  | { readonly do: 'make-read-only'; readonly instance: string }
  | { readonly do: 'persist-read-only'; readonly instance: string }
  /** Refused by a server that was started again since `startedAt` (milliseconds since 1970): it is not as it was left. */
  | { readonly do: 'make-writable'; readonly instance: string; readonly startedAt?: number }
  | { readonly do: 'end-clients'; readonly instance: string }
  /**
   * Waits until the instance has applied all that the other has executed (asked right then), and `has`: GTIDs that the
   * other is known to hold. A server of MariaDB that is started again in the meantime no longer holds them.
   */
  | { readonly do: 'catch-up'; readonly instance: string; readonly with: string; readonly has?: string }
  | { readonly do: 'apply-backlog'; readonly instance: string }
  | { readonly do: 'semi-sync-source'; readonly instance: string; readonly on: boolean }
  | { readonly do: 'semi-sync-replica'; readonly instance: string; readonly on: boolean }
  /** Waits until enough replicas acknowledge to this instance. */
  | { readonly do: 'await-ackers'; readonly instance: string; readonly count: number }
  /**
   * Events run on the primary only, and there those that ran on the old one: its statuses count, asked right then (`as`),
   * or as they were seen last (`disabled`).
   */
  | {
      readonly do: 'enable-events';
      readonly instance: string;
      readonly as?: string | undefined;
      readonly disabled: readonly string[];
    }
  /** Writes a row through the new primary and sees it on each of the others. */
  | { readonly do: 'prove'; readonly instance: string; readonly on: readonly string[] }
  /** On the machine below: mask and stop mysqld, and the operator's STONITH hook when told so. What cannot be reached is recorded. */
  | { readonly do: 'fence'; readonly instance: string; readonly stonith?: boolean }
  /** `asBefore`: a server that was stopped before the fence stays so. */
  | { readonly do: 'unfence'; readonly instance: string; readonly asBefore?: boolean }
  | { readonly do: 'clone'; readonly instance: string; readonly source: string }
  | { readonly do: 'inject-empty'; readonly instance: string; readonly gtids: string }
  | { readonly do: 'hook'; readonly hook: HookName };

export interface Step {
  /** For people and for `--json`: `make-read-only`, unique in the plan together with the instance. */
  readonly name: string;
  readonly action: Action;
  readonly limitMs: number;
  /**
   * Taken back when a later step fails before the point of no return: the steps last first, the actions of one step
   * in this order. The step that failed is taken back, too: nobody knows how far it came.
   */
  readonly undo?: readonly Action[] | undefined;
  /** The lock and the epoch are checked again right before it. */
  readonly irreversible?: true | undefined;
  /** A failure is reported and does not stop the plan. */
  readonly optional?: true | undefined;
  /** Begins with its stage and is awaited at the end of the plan, not of the stage: nothing after it rests on it. */
  readonly beside?: true | undefined;
  /**
   * Nothing but this instance depends on the step. When it fails before the point of no return, what was begun for that
   * instance is taken back, it is left behind, and the plan goes on without it.
   */
  readonly bystander?: string | undefined;
  /** Ends what an earlier step began for the time being: it is done also when the plan is given up half way. */
  readonly always?: true | undefined;
}

/** The steps of a stage run side by side; the next stage begins when all of them are done. */
export type Stage = readonly Step[];

export interface Plan {
  readonly kind: ChangeKind;
  readonly from: string | undefined;
  readonly to: string;
  /** What the reader should know before saying yes: one sentence each. */
  readonly notes: readonly string[];
  /** GTIDs that are known to be lost by it, in the flavour's notation; empty when none. */
  readonly lost: string;
  readonly lostCount: number;
  readonly stages: readonly Stage[];
  /** For so long may writes stand still: when they are not accepted again by then, everything is taken back. */
  readonly writesWithinMs?: number | undefined;
  /** What follows after so many stages is planned anew, on what the cluster says then. */
  readonly lookAgain?: LookAgain | undefined;
}

/** The rest of a failover depends on what the replicas hold when none of them receives any more. */
export interface LookAgain {
  /** The stages up to here are carried out as they stand; those behind are what is expected. */
  readonly after: number;
  /** The candidate that was named; without it the best one is chosen then. */
  readonly to: string | undefined;
  /** Codes of refusals that were known and accepted before it began. */
  readonly accepts: readonly RefusalCode[];
}
