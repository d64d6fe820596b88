import { orNone } from '../base-server.ts';
import { ServerFailure } from '../failure.ts';
import { number } from '../rows.ts';
import type { Limits } from '../server.ts';
import type { Session } from '../session.ts';

/** The applier's coordinator when it waits for the rest of a transaction that no receiver fetches. */
const HALF_TRANSACTION = `SELECT threads.processlist_id AS id
  FROM performance_schema.replication_applier_status_by_coordinator coordinator
  JOIN performance_schema.threads USING (thread_id)
  JOIN performance_schema.replication_connection_status receiver USING (channel_name)
  WHERE coordinator.channel_name = '' AND coordinator.processing_transaction <> '' AND receiver.service_state <> 'ON'
  AND threads.processlist_state LIKE '%has read all relay log%'`;
/** No such thread; not the owner of the thread. */
const KILL_REFUSED = new Set([1094, 1095]);

/**
 * Stops the applier by the statements given. When the receiver was ended in the middle of a transaction, the
 * coordinator of parallel workers waits a minute for the rest of it before it stops; to be killed is the one thing that
 * ends that at once. Nothing is lost: a transaction that did not come whole was never acknowledged, and is fetched again
 * by its GTID.
 */
export async function stopApplier(
  session: Session,
  doing: string,
  sql: string,
  limits: Limits,
  values: readonly unknown[] = [],
): Promise<void> {
  const [half] = (await orNone(session.rows(doing, HALF_TRANSACTION, [], limits))) ?? [];
  if (half) {
    await session.rows(doing, 'KILL ?', [number(half, 'id')], limits).catch((error: unknown) => {
      // It has ended by itself, or the account may not: then it takes its minute.
      if (!(error instanceof ServerFailure) || !KILL_REFUSED.has(error.errno)) throw error;
    });
  }
  await session.rows(doing, sql, values, limits);
}
