import { randomBytes } from 'node:crypto';

import { UserError } from '../../lib/errors.ts';
import type { Memory } from '../cluster/memory.ts';
import type { Coordination, Lease } from './coordination.ts';
import { heldBySomebody, leaseLost } from './lease-errors.ts';

/** Much longer than the interval of renewals, since the clocks of two hosts may differ. */
const COPY_LEASE_MS = 40_000;
const RENEW_MS = 10_000;

export interface CopyLockOptions {
  readonly instance: string;
  readonly who: string;
  readonly cluster: string;
  /** The epoch of the cluster's lease under which the copy was planned. */
  readonly epoch: number;
  /** GTIDs of the primary that the instance held before its data are replaced: it may have acknowledged them. */
  readonly held?: string | undefined;
  readonly renewMs?: number | undefined;
}

/**
 * Acquires the lock of one instance whose data a copy replaces. The lock is an entry of the memory, so that the
 * cluster's lock is free meanwhile: a copy takes hours, and a failover must not wait for it. The caller holds the
 * cluster's lease. The lock expires when its holder dies. A store that is lost for a while does not interrupt the
 * copy.
 */
export async function lockForCopy(
  coordination: Pick<Coordination, 'remember' | 'memory'>,
  { instance, who, cluster, epoch, held: before, renewMs = RENEW_MS }: CopyLockOptions,
): Promise<Lease> {
  const token = randomBytes(12).toString('hex');
  const isOurs = ({ copies }: Memory): boolean => copies?.[instance]?.token === token;
  const renew = async (): Promise<void> =>
    await coordination.remember((memory) => {
      const now = Date.now();
      const held = memory.copies?.[instance];
      if (held !== undefined && held.token !== token && now < held.until)
        throw heldBySomebody(
          cluster,
          { who: held.by, purpose: `copies the data of ${instance}` },
          'wait for the copy to end; when its process died, the instance is free after 40 seconds',
        );
      const own = {
        by: who,
        token,
        until: now + COPY_LEASE_MS,
        ...(before === undefined ? {} : { held: before }),
      };
      return { ...memory, copies: { ...memory.copies, [instance]: own } };
    });
  await renew();
  const ended = new AbortController();
  // A renewal that fails is repeated; `confirm` detects that somebody else took the lock.
  let renewing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    renewing = renewing.then(renew).catch(ignoreUserErrors);
  }, renewMs).unref();
  return {
    epoch,
    signal: ended.signal,
    confirm: async () => {
      if (isOurs(await coordination.memory())) return;
      throw leaseLost(cluster, `somebody else has the lock of ${instance}`);
    },
    release: async () => {
      clearInterval(timer);
      if (ended.signal.aborted) return;
      ended.abort(leaseLost(cluster, 'it was given back'));
      await renewing;
      await coordination
        .remember((memory) => (isOurs(memory) ? withoutCopy(memory, instance) : memory))
        .catch(ignoreUserErrors);
    },
  };
}

function withoutCopy(memory: Memory, instance: string): Memory {
  const { [instance]: _ended, ...copies } = memory.copies ?? {};
  return { ...memory, copies };
}

/** Without the store the lock expires by itself. */
function ignoreUserErrors(error: unknown): void {
  if (!(error instanceof UserError)) throw error;
}
