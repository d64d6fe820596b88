import { BaseServer, JOURNAL_ROW, JOURNAL_TABLE, orNone, withGrace } from '../base-server.ts';
import { quoteText } from '../quote.ts';
import { hostPort } from '../../lib/host-port.ts';
import { cloneFrom } from './clone.ts';
import { type Gtids, isEmpty, parseGtids } from '../gtid.ts';
import { loggedTransactions } from '../logged-transactions.ts';
import { type Pulse, withPulse } from '../pulse.ts';
import { mysqlIdentity, mysqlPulse, mysqlState, mysqlStateQuery } from './read.ts';
import { preparedTransactions } from '../prepared.ts';
import { flag, number, text } from '../rows.ts';
import { setSemiSync } from './semi-sync.ts';
import type { JournalRow, Limits, LoggedTransaction, Server, SourceAddress } from '../server.ts';
import type { InstanceState } from '../state.ts';
import { stopApplier } from './stop-applier.ts';
import type { Version } from '../version.ts';

/** A receiver gives up after this many attempts, one a second: ten days. */
const RETRIES = 864_000;
/**
 * The channel by which the instances of a cluster follow each other. It is named in each statement: without, MySQL acts on
 * all channels, and refuses to change the source of one (3079) where there are several.
 */
const CLUSTER_CHANNEL = "FOR CHANNEL ''";
/** Empty transactions are committed in portions of this many. */
const PORTION = 500;

/** MySQL 8.0.26 and later, without the statements that 8.4 dropped. */
export class MysqlServer extends BaseServer implements Server {
  version: Version | undefined;
  protected readonly startQuery = `SELECT UNIX_TIMESTAMP() - variable_value AS started
    FROM performance_schema.global_status WHERE variable_name = 'Uptime'`;
  #pulse: Pulse | undefined;

  async readState(limits: Limits): Promise<InstanceState> {
    const { longTransactionSeconds } = this.options;
    const query = mysqlStateQuery(longTransactionSeconds);
    return await this.sessions.with(limits, async (session) => {
      const results = await this.readAs(session, limits, () =>
        session.results('reading its state', query, [], limits),
      );
      this.refuseUnsupported(mysqlIdentity(results));
      const now = performance.now();
      this.#pulse = mysqlPulse(results, this.#pulse, now);
      const state = withPulse(mysqlState(results), this.#pulse, now);
      this.version = state.version;
      const [detached] = results.at(-1) ?? [];
      const prepared = await preparedTransactions(session, 'mysql', detached, longTransactionSeconds, limits);
      return { ...state, preparedTransactions: prepared };
    });
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
    await this.closing(
      async (session, generous) => {
        await session.rows('becoming read-only', 'SET GLOBAL super_read_only = ON', [], generous);
      },
      'SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF',
      limits,
    );
  }

  async persistReadOnly(limits: Limits): Promise<void> {
    await this.run('staying read-only', 'SET PERSIST super_read_only = ON', [], limits);
  }

  async makeWritable(same: { readonly startedAt: number | undefined }, limits: Limits): Promise<void> {
    await this.closed(limits);
    const sql = 'SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF';
    await this.onSameStart(same, 'becoming writable', sql, limits);
  }

  async endClients(limits: Limits): Promise<number> {
    const { failover, replication } = this.options.accounts;
    const query = `SELECT processlist_id AS id FROM performance_schema.threads
      WHERE name = 'thread/sql/one_connection' AND processlist_id <> CONNECTION_ID()
      AND processlist_command NOT LIKE 'Binlog Dump%' AND processlist_command <> 'Killed'
      AND processlist_user NOT IN (${[failover, replication].map(({ user }) => quoteText(user)).join(', ')})`;
    return await this.endListed(query, (id) => `KILL ${id}`, limits);
  }

  async stopReceiver(limits: Limits): Promise<void> {
    await this.run('stopping the receiver', `STOP REPLICA IO_THREAD ${CLUSTER_CHANNEL}`, [], limits);
  }

  async startReceiver(limits: Limits): Promise<void> {
    await this.run('starting the receiver', `START REPLICA IO_THREAD ${CLUSTER_CHANNEL}`, [], limits);
  }

  async stopApplier(limits: Limits): Promise<void> {
    await this.sessions.with(limits, (session) =>
      stopApplier(
        this.sessions,
        session,
        'stopping the applier',
        `STOP REPLICA SQL_THREAD ${CLUSTER_CHANNEL}`,
        limits,
      ),
    );
  }

  async startApplier(limits: Limits): Promise<void> {
    await this.run('starting the applier', `START REPLICA SQL_THREAD ${CLUSTER_CHANNEL}`, [], limits);
  }

  async startReplica(limits: Limits): Promise<void> {
    await this.run('starting replication', `START REPLICA ${CLUSTER_CHANNEL}`, [], limits);
  }

  async stopReplica(limits: Limits): Promise<void> {
    await this.sessions.with(limits, async (session) => {
      const doing = 'stopping replication';
      await session.rows(doing, `STOP REPLICA IO_THREAD ${CLUSTER_CHANNEL}`, [], limits);
      await stopApplier(this.sessions, session, doing, `STOP REPLICA ${CLUSTER_CHANNEL}`, limits);
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
    const sql = `STOP REPLICA ${CLUSTER_CHANNEL};
      CHANGE REPLICATION SOURCE TO SOURCE_HOST = ?, SOURCE_PORT = ?, SOURCE_USER = ?, SOURCE_PASSWORD = ?,
        SOURCE_AUTO_POSITION = 1, SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = ${RETRIES},
        SOURCE_HEARTBEAT_PERIOD = 1${tls} ${CLUSTER_CHANNEL};
      START REPLICA ${CLUSTER_CHANNEL}`;
    const { user, password } = accounts.replication;
    const values = [source.host, source.port, user, password.reveal(), ...(tls === '' ? [] : [replicaCa])];
    await this.sessions.with(limits, async (session) => {
      const [row] = await session.rows(
        'reading its source',
        `SHOW REPLICA STATUS ${CLUSTER_CHANNEL}`,
        [],
        limits,
      );
      const isSame = text(row, 'Source_Host') === source.host && number(row, 'Source_Port') === source.port;
      if (isSame && text(row, 'Replica_IO_Running') === 'Yes' && flag(row, 'Replica_SQL_Running')) return;
      const doing = `following ${hostPort(source.host, source.port)}`;
      await session.rows(doing, `STOP REPLICA IO_THREAD ${CLUSTER_CHANNEL}`, [], limits);
      await stopApplier(this.sessions, session, doing, sql, limits, values);
    });
  }

  async forgetSource(limits: Limits): Promise<void> {
    await this.sessions.with(limits, async (session) => {
      const doing = 'forgetting its source';
      await session.rows(doing, `STOP REPLICA IO_THREAD ${CLUSTER_CHANNEL}`, [], limits);
      await stopApplier(
        this.sessions,
        session,
        doing,
        `STOP REPLICA ${CLUSTER_CHANNEL}; RESET REPLICA ALL ${CLUSTER_CHANNEL}`,
        limits,
      );
    });
  }

  async setSemiSyncSource(on: boolean, limits: Limits): Promise<void> {
    await this.sessions.with(limits, (session) => setSemiSync(this.name, session, 'source', on, limits));
  }

  async setSemiSyncReplica(on: boolean, limits: Limits): Promise<void> {
    await this.sessions.with(limits, async (session) => {
      if (!(await setSemiSync(this.name, session, 'replica', on, limits))) return;
      // The receiver reads this setting only when it starts.
      const [row] = await session.rows(
        'reading its receiver',
        `SHOW REPLICA STATUS ${CLUSTER_CHANNEL}`,
        [],
        limits,
      );
      if (row === undefined || text(row, 'Replica_IO_Running') === 'No') return;
      const sql = `STOP REPLICA IO_THREAD ${CLUSTER_CHANNEL}; START REPLICA IO_THREAD ${CLUSTER_CHANNEL}`;
      await session.rows('restarting the receiver', sql, [], limits);
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
      try {
        for (let start = 0; start < each.length; start += PORTION) {
          const sql = each
            .slice(start, start + PORTION)
            .map((gtid) => `SET GTID_NEXT = '${gtid}'; BEGIN; COMMIT`)
            .join('; ');
          const doing = 'committing empty transactions';
          await session.rows(doing, `${sql}; SET GTID_NEXT = 'AUTOMATIC'`, [], limits);
        }
      } catch (error) {
        // GTID_NEXT of this session is still that of the failed transaction.
        session.destroy();
        throw error;
      }
    });
  }

  async transactions(gtids: Gtids, limits: Limits): Promise<readonly LoggedTransaction[]> {
    return await this.sessions.with(limits, (session) => loggedTransactions(session, gtids, limits));
  }

  async clone(donor: SourceAddress, report: (line: string) => void, limits: Limits): Promise<void> {
    const { sessions, name } = this;
    await cloneFrom(donor, { name, sessions, account: this.options.accounts.backup, report }, limits);
  }

  async #isReadOnly(limits: Limits): Promise<boolean> {
    const sql = 'SELECT @@super_read_only AS flag';
    const [row] = await this.sessions.with(limits, (session) =>
      session.rows('asking its role', sql, [], limits),
    );
    return flag(row, 'flag');
  }
}

/** Lists the transactions of a set one by one. */
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
