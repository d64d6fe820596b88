import { ahead, type Gtids, noGtids, parseGtids, union } from '../gtid.ts';
import { hostPort } from '../../lib/host-port.ts';
import { errorOf, filtersOf, lagOf, lagWithoutSource, receiverOf, startOf } from '../mysql/read.ts';
import { flag, isOn, number, numberOrNone, pairs, text } from '../rows.ts';
import type { Row } from '../session.ts';
import type { InstanceState, ReplicationState } from '../state.ts';
import { threadOf } from '../client-thread.ts';
import { DISABLED_EVENTS } from '../enable-events.ts';
import { IDENTITY_VARIABLES, type Identity } from '../limitation.ts';
import { DETACHED_TRANSACTIONS } from '../prepared.ts';
import { parseVersion, versionOf } from '../version.ts';

/** Everything about an instance in one round trip. */
export function mariadbStateQuery(longTransactionSeconds: number): string {
  return `
SELECT @@version AS version, @@server_id AS server_id, @@hostname AS hostname, @@read_only AS read_only,
  @@gtid_binlog_state AS binlog_state, @@gtid_slave_pos AS slave_pos, @@gtid_strict_mode AS strict,
  @@log_bin AS log_bin, @@log_slave_updates AS log_slave_updates, @@binlog_format AS binlog_format,
  @@max_connections AS max_connections, @@rpl_semi_sync_master_enabled AS source_enabled,
  @@rpl_semi_sync_master_timeout AS source_timeout,
  @@rpl_semi_sync_master_wait_no_slave AS source_wait, @@rpl_semi_sync_slave_enabled AS replica_enabled;
SELECT variable_name, variable_value, UNIX_TIMESTAMP() AS server_time FROM information_schema.global_status
  WHERE variable_name IN ('Rpl_semi_sync_master_status', 'Rpl_semi_sync_master_clients',
  'Rpl_semi_sync_master_wait_sessions', 'Rpl_semi_sync_slave_status', 'Threads_connected', 'Uptime');
SHOW ALL SLAVES STATUS;
SHOW SLAVE HOSTS;
SELECT p.id, p.user, p.host, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) AS seconds, COALESCE(p.state, '') AS state
  FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
  WHERE p.user <> 'system user' AND t.trx_started < NOW() - INTERVAL ${longTransactionSeconds} SECOND
  ORDER BY seconds DESC LIMIT 20;
SELECT id, user, host, time AS seconds, state FROM information_schema.processlist
  WHERE state LIKE 'Waiting for semi-sync ACK%' AND id <> CONNECTION_ID() ORDER BY seconds DESC LIMIT 20;
${DISABLED_EVENTS};
SHOW GLOBAL VARIABLES WHERE Variable_name IN (${IDENTITY_VARIABLES.map((name) => `'${name}'`).join(', ')});
${DETACHED_TRANSACTIONS}`;
}

/** What the results of `mariadbStateQuery` say of the kind of server. */
export function mariadbIdentity(results: readonly (readonly Row[])[]): Identity {
  const versionText = text(results[0]?.[0], 'version');
  return {
    versionText,
    version: parseVersion(versionText),
    variables: pairs(results.at(-2)),
    groupMembers: [],
  };
}

/** MariaDB keeps no time of the last heartbeat: what moved since we asked last, and when. */
export interface Pulse {
  readonly mark: string;
  /** By the clock of `performance.now()`; undefined before anything was seen to move. */
  readonly movedAt: number | undefined;
}

/** What the results of `mariadbStateQuery` say, and the pulse to compare the next ones with. */
export function mariadbState(
  results: readonly (readonly Row[])[],
  before: Pulse | undefined,
): { readonly state: InstanceState; readonly pulse: Pulse | undefined } {
  const [[main] = [], statusRows, channels = [], replicas = [], long = [], waiting = [], events = []] =
    results;
  const status = pairs(statusRows);
  const serverId = number(main, 'server_id');
  const applied = parseGtids('mariadb', text(main, 'slave_pos'));
  const executed = union(parseGtids('mariadb', text(main, 'binlog_state')), applied);
  const channel = channels.find((row) => text(row, 'Connection_name') === '');
  const pulse = channel && pulseOf(channel, before);
  const state: InstanceState = {
    version: versionOf(text(main, 'version')),
    uuid: String(serverId),
    serverId,
    hostname: text(main, 'hostname'),
    uptimeSeconds: Number(status.get('uptime') ?? 0),
    startedAt: startOf(statusRows),
    readOnly: isReadOnly(text(main, 'read_only')),
    superReadOnly: isReadOnly(text(main, 'read_only')),
    offlineMode: false,
    executed,
    // Another statement reads it, because that one may have to wait.
    purged: noGtids('mariadb'),
    // GTIDs cannot be off; that their order is kept is what the strict mode says.
    gtidMode: flag(main, 'strict'),
    logBin: flag(main, 'log_bin'),
    logReplicaUpdates: flag(main, 'log_slave_updates'),
    binlogFormat: text(main, 'binlog_format'),
    replication:
      channel && text(channel, 'Master_Host') !== '' ? replicationOf(channel, pulse, applied) : undefined,
    otherChannels: channels.map((row) => text(row, 'Connection_name')).filter((name) => name !== ''),
    replicas: replicas.map((row) => ({
      uuid: text(row, 'Server_id'),
      address: hostPort(text(row, 'Host'), text(row, 'Port')),
    })),
    semiSync: {
      available: true,
      source: {
        enabled: flag(main, 'source_enabled'),
        active: isOn(status.get('rpl_semi_sync_master_status')),
        ackers: Number(status.get('rpl_semi_sync_master_clients') ?? 0),
        // It waits for one replica, and cannot be told to wait for more.
        requiredAcks: 1,
        timeoutMs: Number(text(main, 'source_timeout') || 0),
        waitsWithoutReplicas: flag(main, 'source_wait'),
        waiting: Number(status.get('rpl_semi_sync_master_wait_sessions') ?? 0),
      },
      replica: {
        enabled: flag(main, 'replica_enabled'),
        active: isOn(status.get('rpl_semi_sync_slave_status')),
      },
    },
    longTransactions: long.map(threadOf),
    waitingForAck: waiting.map(threadOf),
    disabledEvents: events.map((row) => text(row, 'name')),
    // Statements of their own read these three: they may fail where the account or a plugin is missing.
    lockHolders: [],
    backupLocks: [],
    preparedTransactions: undefined,
    // Binlog_bytes_written stands still while a commit writes, and jumps at its end.
    binlogBytes: undefined,
    connections: Number(status.get('threads_connected') ?? 0),
    maxConnections: number(main, 'max_connections'),
  };
  return { state, pulse };
}

/** Since 12.0 it has more values than ON and OFF: https://mariadb.com/docs/server/ref/system-variables (read_only). */
function isReadOnly(value: string): boolean {
  return !['0', 'off'].includes(value.toLowerCase());
}

function pulseOf(row: Row, before: Pulse | undefined): Pulse {
  const mark = ['Slave_received_heartbeats', 'Master_Log_File', 'Read_Master_Log_Pos', 'Gtid_IO_Pos']
    .map((column) => text(row, column))
    .join(' ');
  if (before === undefined) return { mark, movedAt: undefined };
  return { mark, movedAt: before.mark === mark ? before.movedAt : performance.now() };
}

function replicationOf(row: Row, pulse: Pulse | undefined, applied: Gtids): ReplicationState {
  const received = parseGtids('mariadb', text(row, 'Gtid_IO_Pos'));
  const backlog = ahead(received, applied);
  return {
    sourceHost: text(row, 'Master_Host'),
    sourcePort: number(row, 'Master_Port'),
    sourceUuid: text(row, 'Master_Server_Id'),
    autoPosition: text(row, 'Using_Gtid') !== 'No',
    tls: flag(row, 'Master_SSL_Allowed'),
    receiver: receiverOf(text(row, 'Slave_IO_Running')),
    applier: flag(row, 'Slave_SQL_Running') ? 'on' : 'off',
    received,
    position: `${text(row, 'Master_Log_File')} ${text(row, 'Read_Master_Log_Pos')}`,
    backlog,
    silentMs: pulse?.movedAt === undefined ? undefined : performance.now() - pulse.movedAt,
    // The second column came with 11.6; before, nobody knows once the source is gone.
    lagSeconds:
      lagOf(numberOrNone(row, 'Seconds_Behind_Master'), backlog) ??
      lagWithoutSource(backlog, numberOrNone(row, 'Master_Slave_time_diff')),
    delaySeconds: number(row, 'SQL_Delay'),
    filters: filtersOf(row),
    receiverError: errorOf(row, 'Last_IO_Errno', 'Last_IO_Error'),
    applierError: errorOf(row, 'Last_SQL_Errno', 'Last_SQL_Error'),
  };
}
