import type { FailoverSettings } from './cluster.ts';
import type { Planned } from './refusals.ts';
import type { Topology } from './topology.ts';

/**
 * What to do about a change that was cut off (`memory.unfinished`): finish it or take it back, as the servers say now.
 * Undefined when nothing is left to do: memory may forget it.
 */
export function planFinish(_topology: Topology, _settings: FailoverSettings): Planned | undefined {
  throw new Error('not written yet');
}
