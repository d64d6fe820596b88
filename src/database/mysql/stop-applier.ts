import { setTimeout as delay } from 'node:timers/promises';

import { orNone } from '../base-server.ts';
import { ServerFailure } from '../failure.ts';
import { number } from '../rows.ts';
import type { Limits } from '../server.ts';
import type { Session } from '../session.ts';
import type { Sessions } from '../sessions.ts';

/** The applier's coordinator when it waits for the rest of a transaction that no receiver fetches. */
const HALF_TRANSACTION = `SELECT threads.processlist_id AS id
  FROM performance_schema.replication_applier_status_by_coordinator coordinator
  JOIN performance_schema.threads USING (thread_id)
  JOIN performance_schema.replication_connection_status receiver USING (channel_name)
  WHERE coordinator.channel_name = '' AND coordinator.processing_transaction <> '' AND receiver.service_state <> 'ON'
  AND threads.processlist_state LIKE '%has read all relay log%'`;
/** No such thread; not the owner of the thread. */
const KILL_REFUSED = new Set([1094, 1095]);
/** A coordinator stops within this, unless it waits; then it is looked at again so often. */
const PATIENCE_MS = 100;

/**
 * Stops the applier by the statements given. When the receiver was ended in the middle of a transaction, the
 * coordinator of parallel workers waits a minute for the rest of it before it stops (SLAVE_WAIT_GROUP_DONE in the
 * server's source); to be killed is the one thing that ends that at once. It may come to the torn transaction before
 * the statement or, with a backlog, only under it. Nothing is lost: a transaction that did not come whole was never
 * acknowledged, and is fetched again by its GTID.
 */
export async function stopApplier(
  sessions: Sessions,
  session: Session,
  doing: string,
  sql: string,
  limits: Limits,
  values: readonly unknown[] = [],
): Promise<void> {
  await endWait(session, doing, limits);
  const stopped = new AbortController();
  await Promise.all([
    session.rows(doing, sql, values, limits).finally(() => stopped.abort()),
    endWaitsUntil(stopped.signal, sessions, doing, limits),
  ]);
}

/** Looks at the coordinator by another connection while the statement runs. */
async function endWaitsUntil(
  stopped: AbortSignal,
  sessions: Sessions,
  doing: string,
  limits: Limits,
): Promise<void> {
  const signal = limits.signal === undefined ? stopped : AbortSignal.any([stopped, limits.signal]);
  for (;;) {
    await delay(PATIENCE_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    // What keeps us from looking keeps nobody from stopping: the statement's own limit counts.
    const look = { ...limits, signal };
    await sessions.with(look, (session) => endWait(session, doing, look)).catch(() => {});
  }
}

async function endWait(session: Session, doing: string, limits: Limits): Promise<void> {
  const [half] = (await orNone(session.rows(doing, HALF_TRANSACTION, [], limits))) ?? [];
  if (!half) return;
  await session.rows(doing, 'KILL ?', [number(half, 'id')], limits).catch((error: unknown) => {
    // It has ended by itself, or the account may not: then it takes its minute.
    if (!(error instanceof ServerFailure) || !KILL_REFUSED.has(error.errno)) throw error;
  });
}
