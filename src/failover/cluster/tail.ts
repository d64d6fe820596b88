import type { Gtids } from '../../database/gtid.ts';
import type { LoggedTransaction } from '../../database/server.ts';

/** What the binary log of a dead primary holds, read on its machine: what no replica has received may stand there. */
export interface Tail {
  readonly instance: string;
  /** All that was ever logged there. */
  readonly logged: Gtids;
  /** What the instances that answered did not have, the oldest first. */
  readonly transactions: readonly LoggedTransaction[];
  /** The last log ends within an event, which was not written whole. */
  readonly isCut: boolean;
}

/** A tail, or why it cannot be had. */
export type TailView = Tail | { readonly instance: string; readonly unreadable: string };
