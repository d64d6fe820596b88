import type { FailoverSettings } from './cluster.ts';
import type { Instance, PromotionRule, Topology } from './topology.ts';

/** An instance as the next primary. */
export interface Candidate {
  readonly name: string;
  readonly instance: Instance;
  /** Why it cannot be promoted; undefined when it can. */
  readonly limitation: string | undefined;
  readonly rule: PromotionRule;
  /** What speaks for and against it, in words. */
  readonly advantages: readonly string[];
  readonly drawbacks: readonly string[];
  /** How many transactions others have and it has not received; undefined when it is silent. */
  readonly behind: number | undefined;
}

/** All instances but the primary, the best first; those with a limitation come last. */
export function candidates(_topology: Topology, _settings: FailoverSettings): readonly Candidate[] {
  throw new Error('not written yet');
}
