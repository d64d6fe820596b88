import { primaryOf } from '../../failover/cluster/primary.ts';
import type { InstanceSpec } from '../../failover/cluster/topology.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import type { SiteBalancer } from '../../site/balancer.ts';
import { drain, type DrainOptions, type DrainOutcome, mayLeave, undrain } from '../../site/drain.ts';
import type { Drained } from '../../site/drained.ts';
import { look, type Session } from '../failover/session.ts';
import { beginDowntime, endDowntime } from './drain-downtime.ts';

/** An instance on a host, and the session of its cluster. */
export interface Carried {
  readonly database: Session;
  readonly instance: InstanceSpec;
}

/**
 * Takes a host out of service, with the instances that it carries. It must carry no primary; when one becomes the primary
 * meanwhile, or anything fails, the host is in service as before.
 */
export async function drainHost(
  balancers: readonly SiteBalancer[],
  host: string,
  carried: readonly Carried[],
  drained: Drained,
  options: DrainOptions,
): Promise<DrainOutcome> {
  const pools = await mayLeave(balancers, host, options);
  const wasOut = pools.some((pool) => pool.drained.has(host));
  // Before anything else, so that the watch does not promote what is about to be stopped.
  for (const { database, instance } of carried) await beginDowntime(database, instance.name, drained);
  let outcome: DrainOutcome;
  try {
    outcome = await drain(balancers, host, drained, options);
  } catch (error) {
    if (!wasOut) await endDowntimes(carried);
    throw error;
  }
  for (const { database, instance } of carried) {
    if (!(await isPrimary(database, instance.name))) continue;
    if (!wasOut) {
      await undrain(balancers, host, { timeoutMs: 0, signal: options.signal, unchecked: true });
      await endDowntimes(carried);
    }
    throw new UserError(
      {
        message: `${instance.name} on ${host} has become the primary meanwhile${wasOut ? '' : '; it was put back'}`,
        hint: `\`provision drain ${host} --switchover\` makes another instance the primary first`,
      },
      { exitCode: EXIT.failed },
    );
  }
  return outcome;
}

export async function endDowntimes(carried: readonly Carried[]): Promise<void> {
  for (const { database, instance } of carried) await endDowntime(database, instance.name);
}

export async function isPrimary(database: Session, instance: string): Promise<boolean> {
  const view = primaryOf((await look(database)).topology);
  return 'primary' in view && view.primary.spec.name === instance;
}
