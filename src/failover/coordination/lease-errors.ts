import { UserError } from '../../lib/errors.ts';
import type { LeaseOwner } from './records.ts';

/** The refusal when somebody else may change the cluster right now. */
export function heldBySomebody(cluster: string, holder: LeaseOwner | undefined, hint: string): UserError {
  const who = holder
    ? `${holder.who} is changing ${cluster} right now (${holder.purpose})`
    : `somebody else is changing ${cluster} right now`;
  return new UserError({ message: who, hint });
}

/** The refusal when the right to change the cluster has been lost in the middle of a change. */
export function leaseLost(cluster: string, why: string): UserError {
  return new UserError({
    message: `the right to change ${cluster} was lost: ${why}`,
    hint: 'nothing irreversible is done without it; see `failover status`, then run the command again',
  });
}
