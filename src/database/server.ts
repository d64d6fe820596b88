import type { Gtids } from './gtid.ts';
import type { InstanceState } from './state.ts';
import type { Version } from './version.ts';

/** Where a replica finds its source. Accounts and TLS are the cluster's and come with the server handle. */
export interface SourceAddress {
  readonly host: string;
  readonly port: number;
}

export interface Limits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One instance, and all that a failover does to it; the flavours and versions differ below this interface. Every
 * method may be repeated: what is so already stays so. Each rejects with a `ServerFailure` and never hangs longer
 * than its limit.
 */
export interface Server {
  readonly name: string;
  /** Known after the first answer. */
  readonly version: Version | undefined;

  readState(limits: Limits): Promise<InstanceState>;
  /** The cheapest question that proves that it answers statements. */
  ping(limits: Limits): Promise<void>;
  executed(limits: Limits): Promise<Gtids>;
  /** Waits until the instance has applied these transactions. Returns false when the time is over. */
  waitFor(gtids: Gtids, limits: Limits): Promise<boolean>;

  /** Stops the writes of every session. On timeout it kills the statement and restores the setting. */
  makeReadOnly(limits: Limits): Promise<void>;
  /** MySQL: persists it, so that every start is read-only; MariaDB cannot, its option file says so. */
  persistReadOnly(limits: Limits): Promise<void>;
  /** Not when the server was started again: then its `startedAt` is another one. */
  makeWritable(same: { readonly startedAt: number | undefined }, limits: Limits): Promise<void>;
  /** Ends client sessions, but not those of replication or of this tool. Returns how many were ended. */
  endClients(limits: Limits): Promise<number>;
  /**
   * Ends these sessions, and waits until they have rolled back. Fails with their ids when our account may not end them:
   * on MySQL those of accounts with SYSTEM_USER, when ours has not got that.
   */
  endSessions(ids: readonly number[], limits: Limits): Promise<void>;
  /** Ends a prepared XA transaction; one that is not there any more is ended. */
  endPrepared(
    prepared: { readonly xid: string; readonly how: 'commit' | 'rollback' },
    limits: Limits,
  ): Promise<void>;
  /** Runs one statement of the operators. */
  runSql(sql: string, limits: Limits): Promise<void>;
  /** Ends one statement or session that stands in the way. */
  killSession(id: number, limits: Limits): Promise<void>;

  stopReceiver(limits: Limits): Promise<void>;
  startReceiver(limits: Limits): Promise<void>;
  startApplier(limits: Limits): Promise<void>;
  stopApplier(limits: Limits): Promise<void>;
  startReplica(limits: Limits): Promise<void>;
  stopReplica(limits: Limits): Promise<void>;
  /**
   * Follows a source by GTID, with the accounts and TLS settings of the cluster, and starts. `demoted`: it was the
   * primary until now (MariaDB needs to be told).
   */
  follow(source: SourceAddress, options: { readonly demoted: boolean }, limits: Limits): Promise<void>;
  /** Removes the replication source, so that the instance is no replica any more. */
  forgetSource(limits: Limits): Promise<void>;

  setSemiSyncSource(on: boolean, limits: Limits): Promise<void>;
  setSemiSyncReplica(on: boolean, limits: Limits): Promise<void>;
  /**
   * Events run on the primary only: those that came by replication are enabled, and the ones named are disabled as they
   * were on the old primary. Definers and character sets stay. The number of those enabled.
   */
  enableEvents(disabled: readonly string[], limits: Limits): Promise<number>;
  /** The events that are disabled here by their owner, as `schema.name`. */
  disabledEvents(limits: Limits): Promise<readonly string[]>;

  /** Writes the journal row of a change of topology through this instance, and reads it on another. */
  writeJournal(row: JournalRow, limits: Limits): Promise<void>;
  hasJournal(id: string, limits: Limits): Promise<boolean>;
  /** Commits an empty transaction for each of these GTIDs, so that they count as executed. */
  injectEmpty(gtids: Gtids, limits: Limits): Promise<void>;
  /**
   * MySQL: replaces all data by a copy of the donor's, with the clone plugin, and ends when this instance answers
   * again after its restart. `report` gets a line about the progress now and then. MariaDB cannot: see `Machine`.
   */
  clone(donor: SourceAddress, report: (line: string) => void, limits: Limits): Promise<void>;

  /** Reads what these transactions did, as far as the binary logs still hold them. */
  transactions(gtids: Gtids, limits: Limits): Promise<readonly LoggedTransaction[]>;

  /** Calls the listener when a connection breaks that this side has not closed: the earliest sign of a death. */
  onLost(listener: () => void): () => void;
  close(): Promise<void>;
}

/** A transaction as the binary log has it. */
export interface LoggedTransaction {
  readonly gtid: string;
  readonly log: string;
  readonly position: number;
  /** `app.messages`, with what was done to rows: `insert 2`. */
  readonly changes: readonly {
    readonly table: string;
    readonly kind: 'insert' | 'update' | 'delete';
    readonly events: number;
  }[];
  /** Statements that are no row changes, such as DDL. */
  readonly statements: readonly string[];
}

/** What a change of topology leaves in the database itself (`understudy.failovers`), so that it travels with the data. */
export interface JournalRow {
  readonly id: string;
  readonly epoch: number;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}
