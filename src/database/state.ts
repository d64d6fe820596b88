import type { Gtids } from './gtid.ts';
import type { Version } from './version.ts';

/** What one instance says about itself at one moment. Times are milliseconds unless the name says otherwise. */
export interface InstanceState {
  readonly version: Version;
  /** MySQL's server_uuid; MariaDB has none, and its server_id stands in for it. */
  readonly uuid: string;
  readonly serverId: number;
  readonly hostname: string;
  readonly uptimeSeconds: number;
  /**
   * When the server was started, by its own clock. It computes its uptime from that same clock, so the difference stays the
   * same for as long as it runs, also when its clock is set: it tells one run of a server from another, whoever looks.
   */
  readonly startedAt: number;

  readonly readOnly: boolean;
  /** Always the same as readOnly on MariaDB, which has no super_read_only. */
  readonly superReadOnly: boolean;
  readonly offlineMode: boolean;

  /** Everything that is committed here: gtid_executed, or MariaDB's gtid_binlog_state joined with gtid_slave_pos. */
  readonly executed: Gtids;
  /** What is no longer in the binary logs. */
  readonly purged: Gtids;
  readonly gtidMode: boolean;
  readonly logBin: boolean;
  readonly logReplicaUpdates: boolean;
  readonly binlogFormat: string;

  readonly replication: ReplicationState | undefined;
  /** More channels than the default one: none of our plans handles that. */
  readonly otherChannels: readonly string[];
  /** Who fetches the binary log from here, as the replicas report themselves. */
  readonly replicas: readonly ConnectedReplica[];
  readonly semiSync: SemiSyncState;

  /** Transactions open for long, in order of age; background and replication threads left out. */
  readonly longTransactions: readonly ClientThread[];
  /** Sessions that wait for a replica's acknowledgement of their commit. */
  readonly waitingForAck: readonly ClientThread[];
  /** Events that are disabled here by their owner, `schema.name`; not those that a replica does not run. */
  readonly disabledEvents: readonly string[];
  /**
   * Client sessions that hold a lock which the applier waits for, or one of whole tables or of the whole server. On MariaDB
   * none where its plugin metadata_lock_info is not loaded.
   */
  readonly lockHolders: readonly LockHolder[];
  /** Client sessions that hold a backup lock: DDL waits for them, and so does an applier of DDL. */
  readonly backupLocks: readonly LockHolder[];
  /** Prepared XA transactions whose session has ended, when the oldest is open for long. */
  readonly preparedTransactions: PreparedTransactions | undefined;
  /**
   * Bytes written to the binary log since the server started, counted while a commit writes them. Undefined when the server
   * does not count them, or only when a commit has written them all, as MariaDB does (seen with 10.11).
   */
  readonly binlogBytes: number | undefined;
  /** Connections of all kinds, and the limit. */
  readonly connections: number;
  readonly maxConnections: number;
}

export interface ConnectedReplica {
  /** Its server_uuid; on MariaDB its server_id. */
  readonly uuid: string;
  /** `host:port`; an empty host when the replica does not report one (report_host). */
  readonly address: string;
}

export interface ReplicationState {
  readonly sourceHost: string;
  readonly sourcePort: number;
  /** Of the source that was last connected to; empty when never, and on MariaDB its server_id. */
  readonly sourceUuid: string;
  readonly autoPosition: boolean;
  readonly tls: boolean;
  readonly receiver: 'on' | 'connecting' | 'off';
  readonly applier: 'on' | 'off';
  /** Received since the replica started to follow this source. */
  readonly received: Gtids;
  /** How far the receiver has read the source's binary log, in the middle of a transaction, too: text to compare. */
  readonly position: string;
  /** Received and not applied yet. */
  readonly backlog: Gtids;
  /** Since the receiver heard anything of the source; undefined when it cannot be known. */
  readonly silentMs: number | undefined;
  /** Zero without a backlog. Undefined when the server cannot say: the receiver or the applier does not run. */
  readonly lagSeconds: number | undefined;
  readonly delaySeconds: number;
  /** Replication filters as `KIND=value`; none is what a candidate needs. */
  readonly filters: readonly string[];
  readonly receiverError: ServerError | undefined;
  readonly applierError: ServerError | undefined;
}

export interface ServerError {
  readonly code: number;
  readonly message: string;
}

export interface SemiSyncState {
  /** The plugins are there (MariaDB: always). */
  readonly available: boolean;
  readonly source: {
    readonly enabled: boolean;
    /** What it says of itself: false when it has fallen back to asynchronous. */
    readonly active: boolean;
    readonly ackers: number;
    readonly requiredAcks: number;
    readonly timeoutMs: number;
    /** Waits although too few replicas are connected; without, it is asynchronous as soon as they are. */
    readonly waitsWithoutReplicas: boolean;
    readonly waiting: number;
  };
  readonly replica: { readonly enabled: boolean; readonly active: boolean };
}

export interface ClientThread {
  readonly id: number;
  readonly user: string;
  readonly host: string;
  readonly seconds: number;
  readonly state: string;
  /** Its last statement, with `?` for each value; undefined or empty when it is not known (always on MariaDB). */
  readonly statement?: string | undefined;
}

/**
 * What a session has locked: everything (FLUSH TABLES WITH READ LOCK), some tables against all others (LOCK TABLES … WRITE),
 * some tables against writes, what an applier waits for, or the right to change tables (LOCK INSTANCE FOR BACKUP).
 */
export type HeldLock = 'everything' | 'tables-for-writing' | 'tables' | 'awaited' | 'backup';

export interface LockHolder extends ClientThread {
  readonly holds: HeldLock;
  /** The last statement of the session, with `?` for each value; empty when it is not known (always on MariaDB). */
  readonly statement: string;
}

export interface PreparedTransactions {
  /** The age of the oldest. */
  readonly seconds: number;
  /** As XA COMMIT and XA ROLLBACK take them; undefined when the account may not list them. */
  readonly names: readonly string[] | undefined;
}

/**
 * Why an instance gave no state. `alive`: a server answered, so it is not dead, whatever it said. `unsupported`: it is of
 * a kind that this tool leaves alone; the message goes on after the instance's name.
 */
export interface Silence {
  readonly kind:
    | 'refused'
    | 'timeout'
    | 'unreachable'
    | 'lost'
    | 'denied'
    | 'too-many-connections'
    | 'starting'
    | 'unsupported'
    | 'error';
  readonly alive: boolean;
  readonly message: string;
}
