import type { Memory } from '../cluster/topology.ts';

/** The right to change one cluster's topology, for one owner at a time. */
export interface Lease {
  /** Larger than every epoch before: what carries an older one is refused. */
  readonly epoch: number;
  /** Aborts as soon as the lease may be lost; nothing irreversible may follow. */
  readonly signal: AbortSignal;
  /** Proves right now that the lease is still ours; rejects with a `UserError` when not. */
  confirm(): Promise<void>;
  release(): Promise<void>;
}

export interface LeaseOwner {
  readonly who: string;
  readonly purpose: string;
}

/** An entry of the journal: what was done, when, by whom, why, and how it ended. */
export interface JournalEntry {
  readonly id: string;
  readonly epoch: number;
  readonly at: number;
  readonly who: string;
  readonly kind: string;
  readonly reason: string;
  readonly from: string | undefined;
  readonly to: string;
  readonly steps: readonly JournalStep[];
  readonly outcome: 'running' | 'done' | 'undone' | 'failed';
  readonly lostGtids: string;
  readonly gtids: Readonly<Record<string, string>>;
  readonly ms: number;
  readonly message?: string | undefined;
}

export interface JournalStep {
  readonly name: string;
  readonly instance?: string | undefined;
  readonly status: 'running' | 'done' | 'failed' | 'undone' | 'skipped';
  readonly ms: number;
  readonly message?: string | undefined;
}

/** Where a cluster's lock, epoch, memory and journal live: files for one machine, etcd for several daemons. */
export interface Coordination {
  /** Rejects with a `UserError` that names the holder when somebody else has it. */
  acquire(owner: LeaseOwner): Promise<Lease>;
  holder(): Promise<LeaseOwner | undefined>;
  memory(): Promise<Memory>;
  /** Changes the memory; `change` may run again when another one was faster. */
  remember(change: (memory: Memory) => Memory): Promise<void>;
  write(entry: JournalEntry): Promise<void>;
  /** The newest first. */
  history(limit: number): Promise<readonly JournalEntry[]>;
  close(): Promise<void>;
}
