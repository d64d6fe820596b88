import type { Memory } from '../cluster/memory.ts';
import type { JournalEntry, LeaseOwner } from './records.ts';

/** The right to change the topology of one cluster; one owner holds it at a time. */
export interface Lease {
  /** Larger than every earlier epoch: changes with an older epoch are refused. */
  readonly epoch: number;
  /** Aborts as soon as the lease may be lost; after that no step may begin. */
  readonly signal: AbortSignal;
  /** Asks the store whether the lease is still held; rejects with a `UserError` when not. */
  confirm(): Promise<void>;
  release(): Promise<void>;
}

/** How many changes the journal keeps. */
export const JOURNAL_LENGTH = 500;

/** Stores the lock, epoch, memory and journal of a cluster: in files for one machine, in etcd for several daemons. */
export interface Coordination {
  /** Rejects with a `UserError` that names the holder when somebody else holds the lock. */
  acquire(owner: LeaseOwner): Promise<Lease>;
  holder(): Promise<LeaseOwner | undefined>;
  memory(): Promise<Memory>;
  /** Changes the memory; `change` runs again when another process changed the memory at the same time. */
  remember(change: (memory: Memory) => Memory): Promise<void>;
  write(entry: JournalEntry): Promise<void>;
  /** The newest first. */
  history(limit: number): Promise<readonly JournalEntry[]>;
  close(): Promise<void>;
}
