import type { FailoverSettings } from './cluster.ts';
import type { Problem } from './problem.ts';
import type { Topology } from './topology.ts';

/** Everything that is wrong, the most urgent first. What an instance in a downtime has is left out. */
export function problems(_topology: Topology, _settings: FailoverSettings): readonly Problem[] {
  throw new Error('not written yet');
}
