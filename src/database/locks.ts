import { threadOf } from './client-thread.ts';
import { number, text } from './rows.ts';
import type { Row } from './session.ts';
import type { HeldLock, LockHolder } from './state.ts';

/*
 * Client sessions that hold locks of whole tables or of the whole server. Row locks belong to transactions, which are
 * listed by themselves. Tried on MySQL 9.7 and MariaDB 11.8: read-only waits for tables that are locked for writing, and
 * for none of the other locks; an applier waits for each of them, and for a backup lock when it applies DDL.
 */

/** MySQL: also the holders of whatever an applier waits for right now. A digest shows no values of anybody's. */
export const MYSQL_LOCK_HOLDERS = `SELECT t.processlist_id AS id, MIN(t.processlist_user) AS user, MIN(t.processlist_host) AS host,
  MIN(t.processlist_time) AS seconds, COALESCE(MIN(t.processlist_state), '') AS state,
  COALESCE(MIN(said.digest_text), '') AS statement,
  MIN(CASE WHEN held.object_type IN ('GLOBAL', 'COMMIT') AND held.lock_type = 'SHARED' THEN 1
    WHEN held.lock_type = 'SHARED_NO_READ_WRITE' THEN 2
    WHEN held.lock_type IN ('SHARED_READ_ONLY', 'SHARED_NO_WRITE') THEN 3
    WHEN held.object_type = 'BACKUP LOCK' AND held.lock_type = 'SHARED' AND wanted.object_type IS NULL THEN 5
    ELSE 4 END) AS holds
  FROM performance_schema.metadata_locks held
  JOIN performance_schema.threads t ON t.thread_id = held.owner_thread_id
  LEFT JOIN performance_schema.events_statements_current said
    ON said.thread_id = held.owner_thread_id
    AND (said.nesting_event_id IS NULL OR said.nesting_event_type = 'TRANSACTION')
  LEFT JOIN (SELECT DISTINCT lock_wanted.object_type, lock_wanted.object_schema, lock_wanted.object_name
    FROM performance_schema.metadata_locks lock_wanted
    JOIN performance_schema.threads applier ON applier.thread_id = lock_wanted.owner_thread_id
    WHERE lock_wanted.lock_status = 'PENDING' AND applier.name IN ('thread/sql/replica_worker', 'thread/sql/replica_sql', 'thread/sql/slave_worker', 'thread/sql/slave_sql')) wanted
    ON wanted.object_type = held.object_type AND wanted.object_schema <=> held.object_schema
    AND wanted.object_name <=> held.object_name
  WHERE held.lock_status = 'GRANTED' AND t.name = 'thread/sql/one_connection' AND t.processlist_id <> CONNECTION_ID()
  AND (held.lock_type IN ('SHARED_READ_ONLY', 'SHARED_NO_WRITE', 'SHARED_NO_READ_WRITE')
    OR (held.object_type IN ('GLOBAL', 'COMMIT', 'BACKUP LOCK') AND held.lock_type = 'SHARED')
    OR wanted.object_type IS NOT NULL)
  GROUP BY id ORDER BY seconds DESC LIMIT 40`;

/** MariaDB: the plugin metadata_lock_info, which the role loads; without it, the table does not exist. */
export const MARIADB_LOCK_HOLDERS = `SELECT p.id AS id, MIN(p.user) AS user, MIN(p.host) AS host, MIN(p.time) AS seconds,
  COALESCE(MIN(p.state), '') AS state, '' AS statement,
  MIN(CASE WHEN held.lock_mode IN ('MDL_BACKUP_FTWRL1', 'MDL_BACKUP_FTWRL2') THEN 1
    WHEN held.lock_mode = 'MDL_SHARED_NO_READ_WRITE' THEN 2
    WHEN held.lock_mode IN ('MDL_SHARED_READ_ONLY', 'MDL_SHARED_NO_WRITE') THEN 3 ELSE 5 END) AS holds
  FROM information_schema.metadata_lock_info held JOIN information_schema.processlist p ON p.id = held.thread_id
  WHERE p.user <> 'system user' AND p.id <> CONNECTION_ID()
  AND ((held.lock_type = 'Table metadata lock' AND held.lock_mode IN ('MDL_SHARED_READ_ONLY', 'MDL_SHARED_NO_WRITE', 'MDL_SHARED_NO_READ_WRITE'))
    OR (held.lock_type = 'Backup lock' AND held.lock_mode IN ('MDL_BACKUP_FTWRL1', 'MDL_BACKUP_FTWRL2', 'MDL_BACKUP_START',
      'MDL_BACKUP_FLUSH', 'MDL_BACKUP_WAIT_FLUSH', 'MDL_BACKUP_WAIT_DDL', 'MDL_BACKUP_WAIT_COMMIT')))
  GROUP BY p.id ORDER BY seconds DESC LIMIT 40`;

const HOLDS: readonly HeldLock[] = ['everything', 'tables-for-writing', 'tables', 'awaited', 'backup'];

/** The sessions of either query: those in the way of an applier or of read-only, and those that a backup needs. */
export function locksOf(rows: readonly Row[]): {
  readonly lockHolders: readonly LockHolder[];
  readonly backupLocks: readonly LockHolder[];
} {
  const all = rows.map((row): LockHolder => ({
    ...threadOf(row),
    holds: HOLDS[number(row, 'holds') - 1] ?? 'awaited',
    statement: text(row, 'statement'),
  }));
  return {
    lockHolders: all.filter(({ holds }) => holds !== 'backup'),
    backupLocks: all.filter(({ holds }) => holds === 'backup'),
  };
}
