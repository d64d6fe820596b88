/** Something that is wrong with a topology, and what to do about it. The codes are those of the table of problems. */
export interface ProblemOf<Code extends string> {
  /** Stable: `DeadPrimary`, `ReplicaLagging`. */
  readonly code: Code;
  readonly severity: 'critical' | 'warning' | 'notice';
  readonly instance: string | undefined;
  /** With the facts filled in. */
  readonly message: string;
  /** What the reader may type, or what the watch does by itself. */
  readonly remedy: string;
  /** What the watch does by itself about it. */
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
