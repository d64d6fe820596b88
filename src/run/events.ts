import type { SourceLocation } from '../lib/errors.ts';
import type { Diff } from '../steps/plan.ts';

export type TaskStatus = 'ok' | 'changed' | 'skipped' | 'failed' | 'unreachable';

export interface HostCounts {
  readonly ok: number;
  readonly changed: number;
  readonly skipped: number;
  readonly failed: number;
  readonly unreachable: number;
  readonly rescued: number;
  readonly ignored: number;
}

/** What happens in a run, in order. Reports are made of these alone; secrets are redacted before they are emitted. */
export type RunEvent =
  | {
      readonly type: 'play';
      readonly name: string;
      readonly hosts: readonly string[];
      readonly batch?: { readonly number: number; readonly of: number };
    }
  | {
      readonly type: 'task';
      readonly name: string;
      readonly role?: string;
      readonly module: string;
      readonly handler: boolean;
      readonly at: SourceLocation;
      readonly hosts: readonly string[];
    }
  | {
      readonly type: 'result';
      readonly host: string;
      readonly task: string;
      readonly module: string;
      readonly status: TaskStatus;
      /** The label of the loop's item. */
      readonly item?: string;
      readonly diff?: readonly Diff[];
      readonly message?: string;
      /** stdout and stderr of a failed command, for the reader. */
      readonly output?: string;
      readonly ignored?: boolean;
      readonly delegatedTo?: string;
      readonly ms: number;
    }
  /** A long step says how it is getting on (the last line a package manager printed). */
  | { readonly type: 'progress'; readonly host: string; readonly line: string }
  | { readonly type: 'warning'; readonly message: string; readonly at?: SourceLocation }
  | {
      readonly type: 'recap';
      readonly hosts: Readonly<Record<string, HostCounts>>;
      readonly ms: number;
      readonly interrupted: boolean;
    };

export type EventSink = (event: RunEvent) => void;
