import type { Memory } from '../cluster/memory.ts';
import type { JournalEntry, LeaseOwner } from './records.ts';

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

/** How many changes of topology the journal keeps. */
export const JOURNAL_LENGTH = 500;

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
