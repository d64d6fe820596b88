import type { FailoverSettings } from './cluster.ts';
import type { Problem } from './problem.ts';
import type { Planned } from './refusals.ts';
import type { Topology } from './topology.ts';

/** What is done about a problem without a person: its row's `recovery`, for this topology. */
export function planRepair(_topology: Topology, _problem: Problem, _settings: FailoverSettings): Planned {
  throw new Error('not written yet');
}
