import { setTimeout as sleep } from 'node:timers/promises';

import { UserError } from '../lib/errors.ts';
import { BaseServer, JOURNAL_ROW, JOURNAL_TABLE, orNone, quoteName, withGrace } from './base-server.ts';
import { ServerFailure } from './failure.ts';
import { type Gtids, isEmpty, parseGtids } from './gtid.ts';
import { loggedTransactions } from './logged-transactions.ts';
import { mysqlState, mysqlStateQuery } from './read-mysql.ts';
import { flag, number, text } from './rows.ts';
import type { JournalRow, Limits, LoggedTransaction, Server, SourceAddress } from './server.ts';
import type { Session } from './session.ts';
import type { InstanceState } from './state.ts';
import type { Version } from './version.ts';

/** The server gives up seeking its source after this many tries, one a second: not while anybody remembers it. */
const RETRIES = 864_000;
/** Empty transactions are committed in portions of this many. */
const PORTION = 500;

/** The applier's coordinator when it waits for the rest of a transaction that no receiver fetches. */
const HALF_TRANSACTION = `SELECT threads.processlist_id AS id
  FROM performance_schema.replication_applier_status_by_coordinator coordinator
  JOIN performance_schema.threads USING (thread_id)
  JOIN performance_schema.replication_connection_status receiver USING (channel_name)
  WHERE coordinator.processing_transaction <> '' AND receiver.service_state <> 'ON'
  AND threads.processlist_state LIKE '%has read all relay log%'`;
/** No such thread; not the owner of the thread. */
const KILL_REFUSED = new Set([1094, 1095]);

/** MySQL 8.0.26 and later, without the statements that 8.4 dropped. */
export class MysqlServer extends BaseServer implements Server {
  version: Version | undefined;

  async readState(limits: Limits): Promise<InstanceState> {
    const query = mysqlStateQuery(this.options.longTransactionSeconds);
    const state = mysqlState(
      await this.sessions.with(limits, (session) => session.results('reading its state', query, [], limits)),
    );
    this.version = state.version;
    return state;
  }

  async executed(limits: Limits): Promise<Gtids> {
    return await this.sessions.with(limits, async (session) => {
      const [row] = await session.rows('reading its GTIDs', 'SELECT @@gtid_executed AS gtids', [], limits);
      return parseGtids('mysql', text(row, 'gtids'));
    });
  }

  async waitFor(gtids: Gtids, limits: Limits): Promise<boolean> {
    if (isEmpty(gtids)) return true;
    const sql = 'SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?) AS late';
    const values = [gtids.toString(), limits.timeoutMs / 1000];
    return await this.sessions.with(limits, async (session) => {
      const [row] = await session.rows('waiting for transactions', sql, values, withGrace(limits));
      return number(row, 'late') === 0;
    });
  }

  async makeReadOnly(limits: Limits): Promise<void> {
    if (await this.#isReadOnly(limits)) return;
    await this.runOrUndo(
      'becoming read-only',
      async (session) => {
        const sql = 'SET GLOBAL super_read_only = ON';
        // The limit is kept by `runOrUndo`, which ends the statement on the server, too.
        await session.rows('becoming read-only', sql, [], {
          ...limits,
          timeoutMs: limits.timeoutMs * 2 + 1000,
        });
      },
      'SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF',
      limits,
    );
  }

  async persistReadOnly(limits: Limits): Promise<void> {
    await this.run('staying read-only', 'SET PERSIST super_read_only = ON', [], limits);
  }

  async makeWritable(limits: Limits): Promise<void> {
    const sql = 'SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF';
    await this.run('becoming writable', sql, [], limits);
  }

  async endClients(limits: Limits): Promise<number> {
    const { failover, replication } = this.options.accounts;
    const query = `SELECT processlist_id AS id FROM performance_schema.threads
      WHERE name = 'thread/sql/one_connection' AND processlist_id <> CONNECTION_ID()
      AND processlist_command NOT LIKE 'Binlog Dump%' AND processlist_command <> 'Killed'
      AND processlist_user NOT IN (${[failover, replication].map(({ user }) => quote(user)).join(', ')})`;
    return await this.endListed(query, (id) => `KILL ${id}`, limits);
  }

  async stopReceiver(limits: Limits): Promise<void> {
    await this.run('stopping the receiver', 'STOP REPLICA IO_THREAD', [], limits);
  }

  async startReceiver(limits: Limits): Promise<void> {
    await this.run('starting the receiver', 'START REPLICA IO_THREAD', [], limits);
  }

  async stopApplier(limits: Limits): Promise<void> {
    await this.sessions.with(limits, (session) =>
      this.#stop(session, 'stopping the applier', 'STOP REPLICA SQL_THREAD', limits),
    );
  }

  async startApplier(limits: Limits): Promise<void> {
    await this.run('starting the applier', 'START REPLICA SQL_THREAD', [], limits);
  }

  async startReplica(limits: Limits): Promise<void> {
    await this.run('starting replication', 'START REPLICA', [], limits);
  }

  async stopReplica(limits: Limits): Promise<void> {
    await this.sessions.with(limits, async (session) => {
      const doing = 'stopping replication';
      await session.rows(doing, 'STOP REPLICA IO_THREAD', [], limits);
      await this.#stop(session, doing, 'STOP REPLICA', limits);
    });
  }

  async follow(
    source: SourceAddress,
    _options: { readonly demoted: boolean },
    limits: Limits,
  ): Promise<void> {
    const { accounts, replicaCa } = this.options;
    const tls =
      replicaCa === '' ? '' : ', SOURCE_SSL = 1, SOURCE_SSL_CA = ?, SOURCE_SSL_VERIFY_SERVER_CERT = 1';
    const sql = `STOP REPLICA;
      CHANGE REPLICATION SOURCE TO SOURCE_HOST = ?, SOURCE_PORT = ?, SOURCE_USER = ?, SOURCE_PASSWORD = ?,
        SOURCE_AUTO_POSITION = 1, SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = ${RETRIES},
        SOURCE_HEARTBEAT_PERIOD = 1${tls};
      START REPLICA`;
    const { user, password } = accounts.replication;
    const values = [source.host, source.port, user, password.reveal(), ...(tls === '' ? [] : [replicaCa])];
    await this.sessions.with(limits, async (session) => {
      const [row] = await session.rows('reading its source', 'SHOW REPLICA STATUS', [], limits);
      const isSame = text(row, 'Source_Host') === source.host && number(row, 'Source_Port') === source.port;
      if (isSame && text(row, 'Replica_IO_Running') === 'Yes' && flag(row, 'Replica_SQL_Running')) return;
      const doing = `following ${source.host}:${source.port}`;
      await session.rows(doing, 'STOP REPLICA IO_THREAD', [], limits);
      await this.#stop(session, doing, sql, limits, values);
    });
  }

  async forgetSource(limits: Limits): Promise<void> {
    await this.sessions.with(limits, async (session) => {
      const doing = 'forgetting its source';
      await session.rows(doing, 'STOP REPLICA IO_THREAD', [], limits);
      await this.#stop(session, doing, 'STOP REPLICA; RESET REPLICA ALL', limits);
    });
  }

  /**
   * Stops the applier. When the receiver was ended in the middle of a transaction, the coordinator of parallel workers
   * waits a minute for the rest of it before it stops; to be killed is the one thing that ends that at once. Nothing is
   * lost: a transaction that did not come whole was never acknowledged, and is fetched again by its GTID.
   */
  async #stop(
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

  async setSemiSyncSource(on: boolean, limits: Limits): Promise<void> {
    await this.sessions.with(limits, (session) => this.#setSemiSync(session, 'source', on, limits));
  }

  async setSemiSyncReplica(on: boolean, limits: Limits): Promise<void> {
    await this.sessions.with(limits, async (session) => {
      if (!(await this.#setSemiSync(session, 'replica', on, limits))) return;
      // A receiver that runs keeps what it began with.
      const [row] = await session.rows('reading its receiver', 'SHOW REPLICA STATUS', [], limits);
      if (row === undefined || text(row, 'Replica_IO_Running') === 'No') return;
      const sql = 'STOP REPLICA IO_THREAD; START REPLICA IO_THREAD';
      await session.rows('restarting the receiver', sql, [], limits);
    });
  }

  async enableEvents(limits: Limits): Promise<number> {
    return await this.sessions.with(limits, async (session) => {
      const events = await session.rows(
        'listing the events',
        `SELECT event_schema AS \`schema\`, event_name AS name, definer AS definer, sql_mode AS sql_mode, time_zone AS time_zone,
           character_set_client AS charset, collation_connection AS collation
         FROM information_schema.events WHERE status IN ('SLAVESIDE_DISABLED', 'REPLICA_SIDE_DISABLED')`,
        [],
        limits,
      );
      for (const event of events) {
        const [user, host] = splitAccount(text(event, 'definer'));
        // An event keeps the session's settings of who altered it last, and the definer if it is named.
        const sql = `SET SESSION sql_mode = ?, time_zone = ?, character_set_client = ?, collation_connection = ?;
          ALTER DEFINER = ?@? EVENT ${quoteName(text(event, 'schema'))}.${quoteName(text(event, 'name'))} ENABLE`;
        const settings = ['sql_mode', 'time_zone', 'charset', 'collation'].map((column) =>
          text(event, column),
        );
        await session.rows(
          `enabling the event ${text(event, 'name')}`,
          sql,
          [...settings, user, host],
          limits,
        );
      }
      // The connection has somebody else's settings now.
      if (events.length > 0) session.destroy();
      return events.length;
    });
  }

  async writeJournal(row: JournalRow, limits: Limits): Promise<void> {
    const values = [row.id, row.epoch, row.kind, row.from, row.to, row.reason];
    await this.run('writing to the journal', `${JOURNAL_TABLE}; ${JOURNAL_ROW}`, values, limits);
  }

  async hasJournal(id: string, limits: Limits): Promise<boolean> {
    const sql = 'SELECT 1 FROM understudy.failovers WHERE id = ?';
    const work = this.sessions.with(limits, (session) =>
      session.rows('reading the journal', sql, [id], limits),
    );
    return ((await orNone(work)) ?? []).length > 0;
  }

  async injectEmpty(gtids: Gtids, limits: Limits): Promise<void> {
    const each = singles(gtids.toString());
    await this.sessions.with(limits, async (session) => {
      for (let start = 0; start < each.length; start += PORTION) {
        const sql = each
          .slice(start, start + PORTION)
          .map((gtid) => `SET GTID_NEXT = '${gtid}'; BEGIN; COMMIT`)
          .join('; ');
        await session.rows(
          'committing empty transactions',
          `${sql}; SET GTID_NEXT = 'AUTOMATIC'`,
          [],
          limits,
        );
      }
    });
  }

  async transactions(gtids: Gtids, limits: Limits): Promise<readonly LoggedTransaction[]> {
    return await this.sessions.with(limits, (session) => loggedTransactions(session, gtids, limits));
  }

  async clone(donor: SourceAddress, report: (line: string) => void, limits: Limits): Promise<void> {
    const { user, password } = this.options.accounts.backup;
    const deadline = performance.now() + limits.timeoutMs;
    const left = (): number => Math.max(1, deadline - performance.now());
    const startedAt = Date.now();
    const cloning = this.sessions.with(limits, async (session) => {
      // Under super_read_only only root may replace the data; the server comes back with it, as its option file says.
      const sql = `SET GLOBAL clone_valid_donor_list = ?; SET GLOBAL super_read_only = OFF; CLONE INSTANCE FROM ?@?:${donor.port} IDENTIFIED BY ? REQUIRE SSL`;
      const values = [`${donor.host}:${donor.port}`, user, donor.host, password.reveal()];
      await session.rows(`cloning ${donor.host}:${donor.port}`, sql, values, limits);
    });
    const stop = new AbortController();
    const watching = this.#reportClone(report, stop.signal);
    try {
      await cloning;
    } catch (error) {
      // A whole clone ends with the server's restart: the connection breaks, or it says that it cannot restart itself
      // (3707), which the service manager does. https://dev.mysql.com/doc/refman/9.5/en/clone-plugin-remote.html
      const isRestart = error instanceof ServerFailure && (!error.silence.alive || error.errno === 3707);
      if (!isRestart) {
        await this.run('staying read-only', 'SET GLOBAL super_read_only = ON', [], { timeoutMs: left() });
        throw error;
      }
    } finally {
      stop.abort();
      await watching;
    }
    report('restarting');
    for (;;) {
      const ended = await this.#cloneStatus(Math.min(left(), 2000));
      if (ended?.state === 'Completed' && ended.began >= startedAt - 60_000) return;
      if (ended?.state === 'Failed') throw new UserError(`${this.name}: the clone failed: ${ended.message}`);
      if (performance.now() > deadline)
        throw new UserError(
          `${this.name}: it did not come back from its clone within ${limits.timeoutMs} ms`,
        );
      limits.signal?.throwIfAborted();
      await sleep(100);
    }
  }

  async #cloneStatus(
    timeoutMs: number,
  ): Promise<{ state: string; message: string; began: number } | undefined> {
    const sql = `SELECT state AS state, error_message AS message, UNIX_TIMESTAMP(begin_time) * 1000 AS began
      FROM performance_schema.clone_status`;
    try {
      const [row] = await this.sessions.with({ timeoutMs }, (session) =>
        session.rows('asking for the clone', sql, [], { timeoutMs }),
      );
      return row && { state: text(row, 'state'), message: text(row, 'message'), began: number(row, 'began') };
    } catch (error) {
      if (error instanceof ServerFailure) return undefined;
      throw error;
    }
  }

  async #reportClone(report: (line: string) => void, signal: AbortSignal): Promise<void> {
    const sql = `SELECT stage AS stage, estimate AS estimate, data AS data FROM performance_schema.clone_progress
      WHERE state = 'In Progress' LIMIT 1`;
    const limits = { timeoutMs: 2000 };
    while (!signal.aborted) {
      try {
        const [row] = await this.sessions.with(limits, (session) =>
          session.rows('progress', sql, [], limits),
        );
        if (row) {
          const estimate = number(row, 'estimate');
          const percent = estimate > 0 ? `, ${Math.floor((number(row, 'data') * 100) / estimate)} %` : '';
          report(`${text(row, 'stage').toLowerCase()}${percent}`);
        }
      } catch {
        // While it restarts there is nothing to say.
      }
      await sleep(500, undefined, { signal }).catch(() => {});
    }
  }

  async #isReadOnly(limits: Limits): Promise<boolean> {
    const sql = 'SELECT @@super_read_only AS flag';
    const [row] = await this.sessions.with(limits, (session) =>
      session.rows('asking its role', sql, [], limits),
    );
    return flag(row, 'flag');
  }

  /** Whether that changed anything. The plugins have old names where they were installed before 8.0.26. */
  async #setSemiSync(
    session: Session,
    side: 'source' | 'replica',
    on: boolean,
    limits: Limits,
  ): Promise<boolean> {
    const old = side === 'source' ? 'master' : 'slave';
    const found = await session.rows(
      'reading semi-sync',
      'SELECT variable_name AS name, variable_value AS value FROM performance_schema.global_variables WHERE variable_name IN (?, ?)',
      [`rpl_semi_sync_${side}_enabled`, `rpl_semi_sync_${old}_enabled`],
      limits,
    );
    const [row] = found;
    if (row === undefined) {
      if (!on) return false;
      throw new UserError({
        message: `${this.name}: the semi-sync plugin of a ${side} is not installed`,
        hint: '`provision up` loads it from the option file',
      });
    }
    if (flag(row, 'value') === on) return false;
    await session.rows(
      `switching semi-sync of a ${side} ${on ? 'on' : 'off'}`,
      `SET GLOBAL ${text(row, 'name')} = ${on ? 'ON' : 'OFF'}`,
      [],
      limits,
    );
    return true;
  }
}

function quote(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** `name@host`, where a name may hold @ itself. */
function splitAccount(account: string): readonly [string, string] {
  const at = account.lastIndexOf('@');
  return [account.slice(0, at), account.slice(at + 1)];
}

/** Each transaction of a set by itself. */
function singles(gtids: string): readonly string[] {
  return gtids.split(',').flatMap((part) => {
    const [uuid = '', ...rest] = part.split(':');
    let prefix = uuid;
    return rest.flatMap((word) => {
      const match = /^(\d+)(?:-(\d+))?$/.exec(word);
      if (!match) {
        prefix = `${uuid}:${word}`;
        return [];
      }
      const from = Number(match[1]);
      const to = Number(match[2] ?? from);
      return Array.from({ length: to - from + 1 }, (_, index) => `${prefix}:${from + index}`);
    });
  });
}
