import type { FailoverSettings } from './cluster.ts';
import type { Planned } from './refusals.ts';
import type { Topology } from './topology.ts';

/** What the operator, or the watch, wants. */
export interface PromoteWish {
  /** Undefined: the best candidate. */
  readonly to?: string | undefined;
  /** Accepts the named loss, and treats a primary that is alive and not usable as dead. */
  readonly force?: boolean | undefined;
  /** The old primary follows the new one at once (default), when it answers. */
  readonly rejoin?: boolean | undefined;
  /** The watch asks: pauses, downtimes and the anti-flapping time hold. */
  readonly automatic?: boolean | undefined;
}

/** Alive → switchover, dead → failover, or every reason why not. */
export function planPromote(_topology: Topology, _wish: PromoteWish, _settings: FailoverSettings): Planned {
  throw new Error('not written yet');
}
