import { setTimeout as wait } from 'node:timers/promises';

import { isWanted } from '../../failover/cluster/wanted.ts';
import type { Lease } from '../../failover/coordination/coordination.ts';
import { lockForCopy } from '../../failover/coordination/copy-lock.ts';
import { NewerRelease } from '../../failover/coordination/record-version.ts';
import type { LeaseOwner } from '../../failover/coordination/records.ts';
import { instanceOf } from '../../failover/execute/carry-out.ts';
import type { Topology } from '../../failover/cluster/topology.ts';
import type { Plan } from '../../failover/plan/action.ts';
import { olderWatchers } from '../../failover/watch/presence.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { operatorName } from './options.ts';
import type { Session } from './session.ts';

// How a command takes the lock of the cluster, and when it gives it back before its end.

/** How long the lock is waited for when the data were copied: as long as a failover, and what follows it, may take. */
const ACQUIRE_MS = 120_000;
const ACQUIRE_PAUSE_MS = 500;
const WANTED_EVERY_MS = 1000;

/** That somebody else has the lock is a refusal, and no mistake in what was typed. */
export async function acquire({ ports }: Session, owner: LeaseOwner): Promise<Lease> {
  try {
    return await ports.coordination.acquire(owner);
  } catch (error) {
    if (!(error instanceof UserError) || error instanceof NewerRelease) throw error;
    throw new UserError(error.problems, { cause: error, exitCode: EXIT.failed });
  }
}

/**
 * The part of a plan that replaces the data of an instance, when it touches nothing but that instance: it needs the lock
 * of the instance only. Undefined: it replaces none, or more is changed for it, or a watch of an older release is present,
 * which does not know that lock and would take the instance up: for it the cluster's lock is held all the time.
 */
export function copyOf(plan: Plan, { memory, at }: Pick<Topology, 'memory' | 'at'>): Plan | undefined {
  if (olderWatchers(memory, at).length > 0) return undefined;
  const last = plan.stages.findIndex((stage) => stage.some(({ action }) => action.do === 'clone'));
  const stages = plan.stages.slice(0, last + 1);
  const isOwn = stages.flat().every(({ action }) => instanceOf(action) === plan.to);
  return last >= 0 && isOwn ? { ...plan, stages } : undefined;
}

/**
 * Copies under the lock of the instance: meanwhile the cluster's is free, and a primary that dies is replaced. `held` is
 * the cluster's lease, before and afterwards.
 */
export async function underCopyLock<T>(
  session: Session,
  instance: string,
  held: { lease: Lease },
  {
    purpose,
    signal,
    before,
  }: {
    readonly purpose: string;
    readonly signal: AbortSignal;
    /** GTIDs of the primary that the instance holds. */
    readonly before: string | undefined;
  },
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const owner = { who: operatorName(), purpose };
  const { ports, cluster } = session;
  const own = await lockForCopy(ports.coordination, {
    instance,
    who: owner.who,
    cluster: cluster.name,
    epoch: held.lease.epoch,
    held: before,
  });
  try {
    await held.lease.release();
    const result = await work(own);
    // First the lock of all, so that nobody else takes up the instance in between.
    held.lease = await acquireSoon(session, owner, signal);
    return result;
  } finally {
    await own.release();
  }
}

/** Waits while somebody else has the lock: what it is needed for must not be left half done. */
async function acquireSoon(session: Session, owner: LeaseOwner, signal: AbortSignal): Promise<Lease> {
  const until = performance.now() + ACQUIRE_MS;
  for (;;) {
    try {
      return await acquire(session, owner);
    } catch (error) {
      if (performance.now() > until || signal.aborted) throw error;
      await wait(ACQUIRE_PAUSE_MS);
    }
  }
}

/** Aborts when somebody waits for the lock to replace a dead primary. */
export function giveWay({ ports }: Session): { readonly signal: AbortSignal; stop(): void } {
  const wanted = new AbortController();
  const who = operatorName();
  const look = async (): Promise<void> => {
    try {
      if (isWanted(await ports.coordination.memory(), who, Date.now())) wanted.abort();
    } catch (error) {
      // Without the store nobody could take the lock either.
      if (!(error instanceof UserError)) throw error;
    }
  };
  const timer = setInterval(() => void look(), WANTED_EVERY_MS).unref();
  return { signal: wanted.signal, stop: () => clearInterval(timer) };
}
