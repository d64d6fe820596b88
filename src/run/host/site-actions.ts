import type { SiteRequest } from '../../steps/step.ts';

/**
 * How a playbook moves the service of its site: whoever runs it knows the balancers and the database. Rejects with a
 * `UserError` when that is not done.
 */
export type SiteActions = (
  ask: SiteRequest,
  timeoutMs: number,
) => Promise<{ readonly changed: boolean; readonly message: string }>;
