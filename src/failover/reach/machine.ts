/**
 * What can be done to the machine that carries an instance. Each method may be repeated, ends within a bounded time,
 * and rejects with a `UserError` when the machine cannot be reached or could not do it.
 */
export interface Machine {
  readonly host: string;
  /** Opens the way there, so that what is done next need not wait for it. Who cannot be reached says so then. */
  approach?(): void;
  /**
   * Rejects mysqld's port in the firewall (open connections too), masks mysqld so that nothing starts it again, and
   * ends it: within two seconds by itself, otherwise killed. Ends within about ten seconds even when mysqld or its disk
   * hangs; it then rejects, and says what of this succeeded.
   */
  fence(signal?: AbortSignal): Promise<void>;
  /**
   * Takes that back and starts mysqld, which boots read-only. Ends when it answers. `asBefore`: mysqld that was
   * stopped or masked before the fence stays so; somebody has done that for a reason. Says whether it runs.
   */
  unfence(signal?: AbortSignal, asBefore?: boolean): Promise<{ readonly runs: boolean }>;
  /**
   * Ends the connections that this machine has to a server, or is opening, on this machine alone: what waits for a
   * silent host there waits no longer.
   */
  endConnections(
    to: { readonly address: string; readonly port: number },
    signal?: AbortSignal,
  ): Promise<void>;
  /** MariaDB: serves copies of this machine's data to the other servers, until `endCopy`. */
  serveCopy(signal?: AbortSignal): Promise<void>;
  endCopy(signal?: AbortSignal): Promise<void>;
  /**
   * MariaDB: makes this machine's data a physical copy of the donor's, which must serve it meanwhile (`serveCopy` on
   * the donor's machine). Leaves it running, read-only, at the copy's GTID (gtid_slave_pos) and following nobody.
   * Refuses when the instance is writable or fenced.
   */
  copyFrom(
    donor: { readonly host: string; readonly address: string },
    report: (line: string) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Of a dead mysqld: its newest binary logs, at most this many, and the GTIDs before each, as `parseLogHeads` reads them. */
  newestLogs(count: number, signal?: AbortSignal): Promise<string>;
  /**
   * What its binary logs hold from this one on beyond these GTIDs (MariaDB: a position), as `parseLoggedTail` reads it.
   * Rejects when they are encrypted, damaged, or mysqld runs.
   */
  logEvents(from: LogsFrom, signal?: AbortSignal): Promise<string>;
  /** The same as statements, compressed. Rejects when mysqld is not fenced. */
  logStatements(from: LogsFrom, signal?: AbortSignal): Promise<Buffer>;
  /**
   * Executes such statements here, where nobody writes and (MariaDB) nothing replicates. Ends at the first that fails, and
   * before the limit; what was applied then counts as replicated.
   */
  applyLog(statements: Buffer, limits: MachineLimits): Promise<void>;
}

export interface MachineLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Where reading binary logs begins. */
export interface LogsFrom {
  readonly log: string;
  readonly beyond: string;
}
