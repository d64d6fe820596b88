import type { ChangeKind } from '../cluster/change-kind.ts';
import type { HookName } from '../cluster/hook-name.ts';
import type { RiskCode } from './risks.ts';

/**
 * What a plan may do, as data. An action names its instance by `spec.name`. Each action may be repeated. The executor
 * writes it to the journal before and after it carries it out.
 */
export type Action =
  /**
   * HAProxy lets new writer sessions wait instead of refusing them, for this long at most. The action fails when
   * HAProxy does not know the instance `for`, which is to become the writer.
   */
  | { readonly do: 'hold-writers'; readonly ms: number; readonly for?: string }
  | { readonly do: 'release-writers' }
  /**
   * HAProxy ends the sessions to the instance, and sends it no writers until its own check says again that it is the
   * primary.
   */
  | { readonly do: 'end-writers'; readonly instance: string }
  /** HAProxy sends writers to this instance now, without waiting for its next check. */
  | { readonly do: 'point-writers'; readonly instance: string }
  /** `seeks`: the receiver connects to this instance, which does not answer; its connection is ended with it. */
  | { readonly do: 'stop-receiver'; readonly instance: string; readonly seeks?: string }
  /**
   * Fails when the server was started again since its receiver was stopped (its `startedAt` is another one), or receives: by
   * itself it asks its source again, and acknowledges to it.
   */
  | { readonly do: 'confirm-stopped'; readonly instance: string; readonly startedAt: number }
  | { readonly do: 'start-receiver'; readonly instance: string }
  | { readonly do: 'start-applier'; readonly instance: string }
  | { readonly do: 'stop-applier'; readonly instance: string }
  | { readonly do: 'stop-replica'; readonly instance: string }
  | { readonly do: 'start-replica'; readonly instance: string }
  | { readonly do: 'follow'; readonly instance: string; readonly source: string; readonly demoted: boolean }
  | { readonly do: 'forget-source'; readonly instance: string }
  | { readonly do: 'make-read-only'; readonly instance: string }
  | { readonly do: 'persist-read-only'; readonly instance: string }
  /**
   * Fails when the server was started again, so that its `startedAt` is another one: it is not in the state in which the
   * plan left it.
   */
  | { readonly do: 'make-writable'; readonly instance: string; readonly startedAt?: number }
  | { readonly do: 'end-clients'; readonly instance: string }
  /** Ends these sessions and waits until they have rolled back and given their locks back. */
  | { readonly do: 'end-sessions'; readonly instance: string; readonly sessions: readonly number[] }
  /** Ends a prepared XA transaction, whose session has ended, by its name. */
  | {
      readonly do: 'end-prepared';
      readonly instance: string;
      readonly xid: string;
      readonly how: 'commit' | 'rollback';
    }
  /** Runs a statement of the operators, for them. */
  | { readonly do: 'run-sql'; readonly instance: string; readonly sql: string }
  /**
   * Waits until the instance has applied everything that the other instance has executed, asked at that moment, and the
   * GTIDs in `has`, which the other instance is known to hold. A MariaDB server that restarts in the meantime no longer
   * holds them.
   */
  | { readonly do: 'catch-up'; readonly instance: string; readonly with: string; readonly has?: string }
  | { readonly do: 'apply-backlog'; readonly instance: string }
  /**
   * Waits until so many (`count`) of the instances `on` have received all that this instance holds, asked at that moment:
   * what it has executed and what it has received. The GTIDs in `has` are among that, whatever became of them meanwhile;
   * those in `without` are not.
   */
  | {
      readonly do: 'await-received';
      readonly instance: string;
      readonly on: readonly string[];
      readonly count: number;
      readonly has: string;
      readonly without?: string;
    }
  | { readonly do: 'semi-sync-source'; readonly instance: string; readonly on: boolean }
  | { readonly do: 'semi-sync-replica'; readonly instance: string; readonly on: boolean }
  /** Waits until enough replicas acknowledge the writes of this instance. */
  | { readonly do: 'await-ackers'; readonly instance: string; readonly count: number }
  /**
   * Enables, on the new primary, the events that were enabled on the old one. The statuses come from the old primary,
   * asked at that moment (`as`), or from what was last seen there (`disabled`).
   */
  | {
      readonly do: 'enable-events';
      readonly instance: string;
      readonly as?: string | undefined;
      readonly disabled: readonly string[];
    }
  /** Writes a row through the new primary and waits until each of the other instances has it. */
  | { readonly do: 'prove'; readonly instance: string; readonly on: readonly string[] }
  /**
   * Masks and stops mysqld on the instance's machine, and runs the operator's STONITH hook when `hook` says so. The
   * record names every machine that could not be reached.
   */
  | { readonly do: 'fence'; readonly instance: string; readonly stonith?: boolean }
  /** `asBefore`: leaves a server stopped that was stopped before the fence. */
  | { readonly do: 'unfence'; readonly instance: string; readonly asBefore?: boolean }
  /**
   * Executes, on this instance, what the binary log of the other one holds beyond it: these GTIDs at least. The other one
   * is fenced; this one is read-only.
   */
  | { readonly do: 'apply-log'; readonly instance: string; readonly of: string; readonly gtids: string }
  | { readonly do: 'clone'; readonly instance: string; readonly source: string }
  | { readonly do: 'inject-empty'; readonly instance: string; readonly gtids: string }
  | { readonly do: 'hook'; readonly hook: HookName };

export interface Step {
  /**
   * The name that people and `--json` see, such as `make-read-only`. Together with the instance it is unique in the
   * plan.
   */
  readonly name: string;
  readonly action: Action;
  readonly limitMs: number;
  /**
   * The actions that take the step back when a later step fails before the point of no return. The last step is taken
   * back first; the actions of one step run in this order. The executor also takes back the step that failed, because
   * it cannot know how much of it was done.
   */
  readonly undo?: readonly Action[] | undefined;
  /** The executor checks the lock and the epoch again right before this step. */
  readonly irreversible?: true | undefined;
  /** The executor reports a failure of this step and goes on with the plan. */
  readonly optional?: true | undefined;
  /** Starts with its stage and is awaited at the end of the whole plan. No later step depends on it. */
  readonly beside?: true | undefined;
  /**
   * Only this instance depends on the step. When the step fails before the point of no return, the executor takes back
   * what was begun for this instance, leaves the instance behind, and goes on with the plan.
   */
  readonly bystander?: string | undefined;
  /**
   * Ends a temporary state that an earlier step began. The executor also runs it when it gives the plan up half way.
   */
  readonly always?: true | undefined;
}

/** The steps of a stage run side by side; the next stage begins when all of them are done. */
export type Stage = readonly Step[];

export interface Plan {
  readonly kind: ChangeKind;
  readonly from: string | undefined;
  readonly to: string;
  /** What an operator should know before saying yes, one sentence each. */
  readonly notes: readonly string[];
  /** The GTIDs that the plan is known to lose, in the flavour's notation; empty when it loses none. */
  readonly lost: string;
  readonly lostCount: number;
  /** The risks that exist and that the operator has accepted by name. */
  readonly accepted?: readonly RiskCode[] | undefined;
  readonly stages: readonly Stage[];
  /**
   * The longest time in milliseconds for which the plan may block writes. When writes are not accepted again by then,
   * the executor takes everything back.
   */
  readonly writesWithinMs?: number | undefined;
  /** After this many stages the executor looks at the cluster again and plans the rest anew. */
  readonly lookAgain?: LookAgain | undefined;
}

/** The rest of a failover depends on what the replicas hold once all their receivers have stopped. */
export interface LookAgain {
  /**
   * The executor carries out this many stages as they are planned. The stages behind them are only what is expected.
   */
  readonly after: number;
  /** The candidate that the operator named. Without one, the best candidate at that moment is promoted. */
  readonly to: string | undefined;
  /** The risks that the operator accepts. */
  readonly accepts: readonly RiskCode[];
  /** What only the binary log of the old primary holds is read there by then, and applied before writes are taken. */
  readonly rescueTail?: boolean | undefined;
}
