/** Something that is wrong with a topology, and what to do about it. The codes are those of the table of problems. */
export interface ProblemOf<Code extends string> {
  /** A stable code: `DeadPrimary`, `ReplicaLagging`. */
  readonly code: Code;
  readonly severity: 'critical' | 'warning' | 'notice';
  readonly instance: string | undefined;
  /** The message with the facts filled in. */
  readonly message: string;
  /** What the operator can type, or what the watch does by itself. */
  readonly remedy: string;
  /** What the watch does about it by itself. */
  readonly recovery: Recovery | undefined;
}

export type Recovery =
  | 'failover'
  | 'reopen-primary'
  | 'fence'
  | 'rejoin'
  | 'repair-replica'
  | 'repair-semi-sync'
  | 'repoint-balancer';
