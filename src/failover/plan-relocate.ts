import type { FailoverSettings } from './cluster.ts';
import type { Planned } from './refusals.ts';
import type { Topology } from './topology.ts';

export interface RelocateWish {
  readonly instance: string;
  readonly below: string;
}

/** Moves one replica below another source. */
export function planRelocate(_topology: Topology, _wish: RelocateWish, _settings: FailoverSettings): Planned {
  throw new Error('not written yet');
}
