import { UserError } from '../../lib/errors.ts';
import type { LeaseOwner } from './records.ts';

/** The error when somebody else holds the lock. */
export function heldBySomebody(cluster: string, holder: LeaseOwner | undefined, hint: string): UserError {
  const who = holder
    ? `${holder.who} is changing ${cluster} right now (${holder.purpose})`
    : `somebody else is changing ${cluster} right now`;
  return new UserError({ message: who, hint });
}

/** The error when the lease was lost during a change. */
export function leaseLost(cluster: string, why: string): UserError {
  return new UserError({
    message: `the right to change ${cluster} was lost: ${why}`,
    hint: 'nothing irreversible is done without it; see `failover status`, then run the command again',
  });
}
