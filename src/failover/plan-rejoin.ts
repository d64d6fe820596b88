import type { FailoverSettings } from './cluster.ts';
import type { Planned } from './refusals.ts';
import type { Topology } from './topology.ts';

export interface RejoinWish {
  readonly instance: string;
  /** Its data are thrown away and copied from another instance. */
  readonly clone?: boolean | undefined;
  /** Its errant transactions count as executed everywhere, without their content (MySQL only). */
  readonly injectEmpty?: boolean | undefined;
}

/**
 * Makes an instance a replica of the primary again. What must be known first (a fenced instance does not answer, a
 * writable one may still write) is a plan of its own: observe and plan again while `again` is true.
 */
export function planRejoin(
  _topology: Topology,
  _wish: RejoinWish,
  _settings: FailoverSettings,
): Planned & { readonly again?: boolean } {
  throw new Error('not written yet');
}
