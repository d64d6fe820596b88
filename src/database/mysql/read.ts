import { contains, type Gtids, isEmpty, noGtids, parseGtids, subtract } from '../gtid.ts';
import { hostPort } from '../../lib/host-port.ts';
import { flag, isOn, number, numberOrNone, pairs, text } from '../rows.ts';
import { type Pulse, pulseOf } from '../pulse.ts';
import type { Row } from '../session.ts';
import type { InstanceState, ReplicationState, ServerError } from '../state.ts';
import { threadOf } from '../client-thread.ts';
import { DISABLED_EVENTS } from '../enable-events.ts';
import { IDENTITY_VARIABLES, type Identity } from '../limitation.ts';
import { locksOf, MYSQL_LOCK_HOLDERS } from '../locks.ts';
import { DETACHED_TRANSACTIONS } from '../prepared.ts';
import { parseVersion, versionOf } from '../version.ts';

/** The old plugins' names until 8.0.26, and for those who have not changed since; the server has one pair at most. */
const SEMI_SYNC = [
  'rpl_semi_sync_source',
  'rpl_semi_sync_master',
  'rpl_semi_sync_replica',
  'rpl_semi_sync_slave',
];
const VARIABLES = SEMI_SYNC.flatMap((name) => [
  `${name}_enabled`,
  `${name}_timeout`,
  `${name}_wait_no_replica`,
  `${name}_wait_no_slave`,
  `${name}_wait_for_replica_count`,
  `${name}_wait_for_slave_count`,
]).concat('binlog_format', IDENTITY_VARIABLES);
const STATUS = SEMI_SYNC.flatMap((name) => [
  `${name}_status`,
  `${name}_clients`,
  `${name}_wait_sessions`,
]).concat('threads_connected', 'uptime');
const list = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

/**
 * Everything about an instance in one round trip. GTIDs are read as variables, because the tables that hold variables
 * cut them off after 1,024 characters.
 */
export function mysqlStateQuery(longTransactionSeconds: number): string {
  return `
SELECT @@version AS version, @@server_uuid AS uuid, @@server_id AS server_id, @@hostname AS hostname, @@read_only AS read_only,
  @@super_read_only AS super_read_only, @@offline_mode AS offline_mode, @@gtid_executed AS executed,
  @@gtid_purged AS purged, @@gtid_mode AS gtid_mode, @@log_bin AS log_bin, @@log_replica_updates AS log_replica_updates,
  @@max_connections AS max_connections,
  (SELECT SUM(sum_number_of_bytes_write) FROM performance_schema.file_summary_by_event_name
    WHERE event_name = 'wait/io/file/sql/binlog'
    AND EXISTS (SELECT 1 FROM performance_schema.setup_instruments WHERE name = 'wait/io/file/sql/binlog' AND enabled = 'YES')
    AND EXISTS (SELECT 1 FROM performance_schema.setup_consumers WHERE name = 'global_instrumentation' AND enabled = 'YES')
  ) AS binlog_bytes;
SELECT variable_name, variable_value FROM performance_schema.global_variables WHERE variable_name IN (${list(VARIABLES)});
SELECT variable_name, variable_value, UNIX_TIMESTAMP() AS server_time FROM performance_schema.global_status
  WHERE variable_name IN (${list(STATUS)});
SHOW REPLICA STATUS;
SELECT channel_name, TIMESTAMPDIFF(MICROSECOND, GREATEST(last_heartbeat_timestamp, last_queued_transaction_end_queue_timestamp,
    last_queued_transaction_start_queue_timestamp), NOW(6)) AS silent_us,
  last_heartbeat_timestamp + 0 + last_queued_transaction_end_queue_timestamp + 0 AS ever,
  queueing_transaction AS queueing
  FROM performance_schema.replication_connection_status;
SHOW REPLICAS;
SELECT p.processlist_id AS id, p.processlist_user AS user, p.processlist_host AS host,
  TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) AS seconds, COALESCE(p.processlist_state, '') AS state,
  COALESCE(said.digest_text, '') AS statement
  FROM information_schema.innodb_trx t JOIN performance_schema.threads p ON p.processlist_id = t.trx_mysql_thread_id
  LEFT JOIN performance_schema.events_statements_current said ON said.thread_id = p.thread_id
    AND (said.nesting_event_id IS NULL OR said.nesting_event_type = 'TRANSACTION')
  WHERE p.name = 'thread/sql/one_connection' AND t.trx_started < NOW() - INTERVAL ${longTransactionSeconds} SECOND
  ORDER BY seconds DESC LIMIT 20;
SELECT processlist_id AS id, processlist_user AS user, processlist_host AS host, processlist_time AS seconds,
  processlist_state AS state FROM performance_schema.threads
  WHERE processlist_state LIKE 'Waiting for semi-sync ACK%' AND processlist_id <> CONNECTION_ID() ORDER BY seconds DESC LIMIT 20;
SELECT MAX(TIMESTAMPDIFF(MICROSECOND, committed, NOW(6))) AS oldest_us FROM (
  SELECT applying_transaction_original_commit_timestamp AS committed
    FROM performance_schema.replication_applier_status_by_worker WHERE channel_name = '' AND applying_transaction <> ''
  UNION ALL SELECT processing_transaction_original_commit_timestamp
    FROM performance_schema.replication_applier_status_by_coordinator WHERE channel_name = '' AND processing_transaction <> ''
  ) applying WHERE committed + 0 > 0;
${DISABLED_EVENTS};
${MYSQL_LOCK_HOLDERS};
SELECT member_state AS state FROM performance_schema.replication_group_members;
${DETACHED_TRANSACTIONS}`;
}

/** What the results of `mysqlStateQuery` say of the kind of server. */
export function mysqlIdentity(results: readonly (readonly Row[])[]): Identity {
  const versionText = text(results[0]?.[0], 'version');
  const members = results.at(-2) ?? [];
  return {
    versionText,
    version: parseVersion(versionText),
    variables: pairs(results[1]),
    groupMembers: members.map((row) => text(row, 'state')),
  };
}

/** What the results of `mysqlStateQuery` say. */
export function mysqlState(results: readonly (readonly Row[])[]): InstanceState {
  const [
    [main] = [],
    variableRows,
    statusRows,
    replicationRows = [],
    silenceRows = [],
    replicas = [],
    long = [],
    waiting = [],
    [applying] = [],
    disabledEvents = [],
    lockHolders = [],
  ] = results;
  const variables = pairs(variableRows);
  const status = pairs(statusRows);
  const executed = parseGtids('mysql', text(main, 'executed'));
  const channel = replicationRows.find((row) => text(row, 'Channel_Name') === '');
  const either = (from: ReadonlyMap<string, string>, ...names: readonly string[]): string | undefined =>
    names.map((name) => from.get(name)).find((value) => value !== undefined);
  return {
    version: versionOf(text(main, 'version')),
    uuid: text(main, 'uuid').toLowerCase(),
    serverId: number(main, 'server_id'),
    hostname: text(main, 'hostname'),
    uptimeSeconds: Number(status.get('uptime') ?? 0),
    startedAt: startOf(statusRows),
    readOnly: flag(main, 'read_only'),
    superReadOnly: flag(main, 'super_read_only'),
    offlineMode: flag(main, 'offline_mode'),
    executed,
    purged: parseGtids('mysql', text(main, 'purged')),
    gtidMode: text(main, 'gtid_mode') === 'ON',
    logBin: flag(main, 'log_bin'),
    logReplicaUpdates: flag(main, 'log_replica_updates'),
    // Gone where there is only one format left.
    binlogFormat: variables.get('binlog_format') ?? 'ROW',
    replication:
      channel && text(channel, 'Source_Host') !== ''
        ? replicationOf(channel, silenceRows, executed, numberOrNone(applying, 'oldest_us'))
        : undefined,
    otherChannels: replicationRows.map((row) => text(row, 'Channel_Name')).filter((name) => name !== ''),
    replicas: replicas.map((row) => ({
      uuid: text(row, 'Replica_UUID').toLowerCase(),
      address: hostPort(text(row, 'Host'), text(row, 'Port')),
    })),
    semiSync: {
      available:
        variables.has('rpl_semi_sync_source_enabled') || variables.has('rpl_semi_sync_master_enabled'),
      source: {
        enabled: isOn(either(variables, 'rpl_semi_sync_source_enabled', 'rpl_semi_sync_master_enabled')),
        active: isOn(either(status, 'rpl_semi_sync_source_status', 'rpl_semi_sync_master_status')),
        ackers: Number(either(status, 'rpl_semi_sync_source_clients', 'rpl_semi_sync_master_clients') ?? 0),
        requiredAcks: Number(
          either(
            variables,
            'rpl_semi_sync_source_wait_for_replica_count',
            'rpl_semi_sync_master_wait_for_slave_count',
          ) ?? 1,
        ),
        timeoutMs: Number(
          either(variables, 'rpl_semi_sync_source_timeout', 'rpl_semi_sync_master_timeout') ?? 0,
        ),
        waitsWithoutReplicas: isOn(
          either(variables, 'rpl_semi_sync_source_wait_no_replica', 'rpl_semi_sync_master_wait_no_slave') ??
            'ON',
        ),
        waiting: Number(
          either(status, 'rpl_semi_sync_source_wait_sessions', 'rpl_semi_sync_master_wait_sessions') ?? 0,
        ),
      },
      replica: {
        enabled: isOn(either(variables, 'rpl_semi_sync_replica_enabled', 'rpl_semi_sync_slave_enabled')),
        active: isOn(either(status, 'rpl_semi_sync_replica_status', 'rpl_semi_sync_slave_status')),
      },
    },
    longTransactions: long.map(threadOf),
    waitingForAck: waiting.map(threadOf),
    disabledEvents: disabledEvents.map((row) => text(row, 'name')),
    ...locksOf(lockHolders),
    preparedTransactions: undefined,
    // A server that counts has written the head of a log at least; one whose instruments are off says 0.
    binlogBytes: numberOrNone(main, 'binlog_bytes') || undefined,
    connections: Number(status.get('threads_connected') ?? 0),
    maxConnections: number(main, 'max_connections'),
  };
}

function replicationOf(
  row: Row,
  silence: readonly Row[],
  executed: InstanceState['executed'],
  applyingUs: number | undefined,
): ReplicationState {
  const received = parseGtids('mysql', text(row, 'Retrieved_Gtid_Set'));
  const backlog = contains(executed, received) ? noGtids('mysql') : subtract(received, executed);
  const silent = silence.find((each) => text(each, 'channel_name') === '');
  return {
    sourceHost: text(row, 'Source_Host'),
    sourcePort: number(row, 'Source_Port'),
    sourceUuid: text(row, 'Source_UUID').toLowerCase(),
    autoPosition: flag(row, 'Auto_Position'),
    tls: flag(row, 'Source_SSL_Allowed'),
    receiver: receiverOf(text(row, 'Replica_IO_Running')),
    applier: flag(row, 'Replica_SQL_Running') ? 'on' : 'off',
    received,
    position: positionOf(row),
    backlog,
    silentMs: number(silent, 'ever') > 0 ? Math.max(0, number(silent, 'silent_us') / 1000) : undefined,
    lagSeconds:
      lagOf(numberOrNone(row, 'Seconds_Behind_Source'), backlog, applyingUs) ??
      lagWithoutSource(backlog, applyingUs === undefined ? undefined : applyingUs / 1_000_000),
    delaySeconds: number(row, 'SQL_Delay'),
    filters: filtersOf(row),
    receiverError: errorOf(row, 'Last_IO_Errno', 'Last_IO_Error'),
    applierError: errorOf(row, 'Last_SQL_Errno', 'Last_SQL_Error'),
  };
}

/** When the server was started, from the rows of its status: the uptime and the time are of one statement. */
export function startOf(status: readonly Row[] | undefined): number {
  const uptime = pairs(status).get('uptime');
  return uptime === undefined ? 0 : (number(status?.[0], 'server_time') - Number(uptime)) * 1000;
}

function positionOf(row: Row): string {
  return `${text(row, 'Source_Log_File')} ${text(row, 'Read_Source_Log_Pos')}`;
}

/**
 * The pulse of the default channel. The server stamps heartbeats and whole transactions; while a large transaction comes
 * in, only the position moves.
 */
export function mysqlPulse(
  results: readonly (readonly Row[])[],
  before: Pulse | undefined,
  now: number,
): Pulse | undefined {
  const channel = results[3]?.find((row) => text(row, 'Channel_Name') === '');
  const status = results[4]?.find((row) => text(row, 'channel_name') === '');
  if (channel === undefined) return undefined;
  const source = `${text(channel, 'Source_Host')}:${text(channel, 'Source_Port')}`;
  return pulseOf({ source, mark: positionOf(channel), transaction: text(status, 'queueing') }, before, now);
}

/**
 * Once its source is gone, the server says no number. The transaction that is being applied was committed at a known time,
 * so it is at least as far behind.
 */
export function lagWithoutSource(backlog: Gtids, seconds: number | undefined): number | undefined {
  return isEmpty(backlog) || seconds === undefined ? undefined : Math.max(0, Math.floor(seconds));
}

/**
 * What the server says of its lag counts only while there is something to apply: right after a replica has begun to
 * follow another source it is the age of that source's binary log. What is applied right now was committed at a known
 * time, by the clock of another host; the server's own number takes the difference of the clocks into account, and is
 * never too small, so the smaller one is right.
 */
export function lagOf(said: number | undefined, backlog: Gtids, applyingUs?: number): number | undefined {
  if (said === undefined) return undefined;
  if (isEmpty(backlog)) return 0;
  return applyingUs === undefined ? said : Math.min(said, Math.max(0, Math.floor(applyingUs / 1_000_000)));
}

/** Shared with MariaDB, whose columns of this kind have the same names. */
export function filtersOf(row: Row): readonly string[] {
  return Object.entries(row)
    .filter(([name, value]) => /^Replicate_/i.test(name) && value !== null && String(value) !== '')
    .map(([name, value]) => `${name}=${String(value)}`);
}

export function errorOf(row: Row, code: string, message: string): ServerError | undefined {
  return number(row, code) === 0 ? undefined : { code: number(row, code), message: text(row, message) };
}

export function receiverOf(running: string): ReplicationState['receiver'] {
  return running === 'Yes' ? 'on' : running === 'No' ? 'off' : 'connecting';
}
