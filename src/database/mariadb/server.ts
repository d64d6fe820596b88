import { UserError } from '../../lib/errors.ts';
import { quoteText } from '../quote.ts';
import { hostPort } from '../../lib/host-port.ts';
import { BaseServer, JOURNAL_ROW, JOURNAL_TABLE, orNone, withGrace } from '../base-server.ts';
import { ServerFailure } from '../failure.ts';
import { MariadbGtids } from './gtid.ts';
import { ahead, type Gtids, isEmpty, noGtids, parseGtids, union, upTo } from '../gtid.ts';
import { locksOf, MARIADB_LOCK_HOLDERS } from '../locks.ts';
import { loggedTransactions } from '../logged-transactions.ts';
import { preparedTransactions } from '../prepared.ts';
import { mariadbIdentity, mariadbState, mariadbStateQuery, type Pulse } from './read.ts';
import { flag, number, text } from '../rows.ts';
import type { JournalRow, Limits, LoggedTransaction, Server, SourceAddress } from '../server.ts';
import type { Row, Session } from '../session.ts';
import type { InstanceState } from '../state.ts';
import { isAtLeast, type Version } from '../version.ts';

/** How long the clients may take to end; the lock of all tables is held meanwhile, so none of them writes. */
const KILLING_MS = 1000;
/** How long a missing plugin is not asked for again. */
const LOCK_INFO_AGE_MS = 60_000;
/** ER_UNKNOWN_TABLE: information_schema has no such table. */
const UNKNOWN_TABLE = 1109;
/** How long the purged GTIDs are cached; they change only when a binary log is purged. */
const PURGED_AGE_MS = 30_000;
/** How long reading them may take: the server reads a few lines of memory and of one small file. */
const PURGED_LIMIT_MS = 500;
/** Each start of the server begins a new binary log. After this many empty ones, no transaction is expected. */
const MOST_EMPTY_LOGS = 20;
/** A log's first transaction comes within this many events, after those that describe the log. */
const FIRST_EVENTS = 10;

/**
 * What lets nobody write, not even with READ_ONLY ADMIN: since 12.0.1 read_only has such a value (MDEV-36425). Undefined for
 * older servers, which have nothing like it.
 */
export function closingFor(version: Version | undefined): string | undefined {
  return version !== undefined && isAtLeast(version, 12, 0, 1)
    ? "SET GLOBAL read_only = 'NO_LOCK_NO_ADMIN'"
    : undefined;
}

/** MariaDB 10.11 and later. */
export class MariadbServer extends BaseServer implements Server {
  version: Version | undefined;
  protected readonly startQuery = `SELECT UNIX_TIMESTAMP() - variable_value AS started
    FROM information_schema.global_status WHERE variable_name = 'Uptime'`;
  #pulse: Pulse | undefined;
  /** When the plugin that lists locks was found missing. */
  #lockInfoMissingAt: number | undefined;
  #purged: { readonly at: number; readonly gtids: Gtids } | undefined;

  async readState(limits: Limits): Promise<InstanceState> {
    const query = mariadbStateQuery(this.options.longTransactionSeconds);
    return await this.sessions.with(limits, async (session) => {
      const results = await this.readAs(session, limits, () =>
        session.results('reading its state', query, [], limits),
      );
      this.refuseUnsupported(mariadbIdentity(results));
      const { state, pulse } = mariadbState(results, this.#pulse);
      this.#pulse = pulse;
      this.version = state.version;
      const [detached] = results.at(-1) ?? [];
      const { longTransactionSeconds } = this.options;
      return {
        ...state,
        ...locksOf(await this.#lockHolders(session, limits)),
        preparedTransactions: await preparedTransactions(
          session,
          'mariadb',
          detached,
          longTransactionSeconds,
          limits,
        ),
        purged: await this.#knownPurged(session, state, limits),
      };
    });
  }

  async executed(limits: Limits): Promise<Gtids> {
    const sql = 'SELECT @@gtid_binlog_state AS binlog_state, @@gtid_slave_pos AS slave_pos';
    const [row] = await this.sessions.with(limits, (session) =>
      session.rows('reading its GTIDs', sql, [], limits),
    );
    return union(
      parseGtids('mariadb', text(row, 'binlog_state')),
      parseGtids('mariadb', text(row, 'slave_pos')),
    );
  }

  async waitFor(gtids: Gtids, limits: Limits): Promise<boolean> {
    if (isEmpty(gtids) || !(gtids instanceof MariadbGtids)) return true;
    const sql = 'SELECT MASTER_GTID_WAIT(?, ?) AS late';
    const values = [gtids.position(), limits.timeoutMs / 1000];
    return await this.sessions.with(limits, async (session) => {
      const [row] = await session.rows('waiting for transactions', sql, values, withGrace(limits));
      return number(row, 'late') === 0;
    });
  }

  /**
   * read_only alone lets those with READ_ONLY ADMIN write, and what is being committed finish. Under the lock of all
   * tables nothing is being committed any more; the clients are ended before it is given back, since any of them may have
   * that right.
   */
  async makeReadOnly(limits: Limits): Promise<void> {
    await this.closing(
      async (session, generous) => {
        const sql = 'SET GLOBAL read_only = ON; FLUSH TABLES WITH READ LOCK';
        await session.rows('becoming read-only', sql, [], generous);
        try {
          // Who of them may write in spite of read_only is in the grant tables, which our account does not see.
          await this.endListed(this.#clients(), (id) => `KILL SOFT CONNECTION ${id}`, {
            ...limits,
            timeoutMs: Math.min(limits.timeoutMs, KILLING_MS),
          });
          // From here on those with READ_ONLY ADMIN write nothing either, where the server can be told so.
          const closed = closingFor(this.version);
          if (closed !== undefined) await session.rows('becoming read-only', closed, [], generous);
        } finally {
          await session.rows('unlocking the tables', 'UNLOCK TABLES', [], generous);
        }
      },
      'UNLOCK TABLES; SET GLOBAL read_only = OFF',
      limits,
    );
  }

  /**
   * There is no SET PERSIST: the option file says that it starts read-only. One that has started so lets those with READ_ONLY
   * ADMIN write, events of theirs included, until it is told otherwise.
   */
  async persistReadOnly(limits: Limits): Promise<void> {
    const sql = closingFor(this.version);
    if (sql !== undefined) await this.run('staying read-only', sql, [], limits);
  }

  async makeWritable(same: { readonly startedAt: number | undefined }, limits: Limits): Promise<void> {
    await this.closed(limits);
    await this.onSameStart(same, 'becoming writable', 'SET GLOBAL read_only = OFF', limits);
  }

  async endClients(limits: Limits): Promise<number> {
    return await this.endListed(this.#clients(), (id) => `KILL CONNECTION ${id}`, limits);
  }

  async stopReceiver(limits: Limits): Promise<void> {
    await this.run('stopping the receiver', 'STOP SLAVE IO_THREAD', [], limits);
  }

  async startReceiver(limits: Limits): Promise<void> {
    await this.run('starting the receiver', 'START SLAVE IO_THREAD', [], limits);
  }

  async stopApplier(limits: Limits): Promise<void> {
    await this.run('stopping the applier', 'STOP SLAVE SQL_THREAD', [], limits);
  }

  async startApplier(limits: Limits): Promise<void> {
    await this.run('starting the applier', 'START SLAVE SQL_THREAD', [], limits);
  }

  async startReplica(limits: Limits): Promise<void> {
    await this.run('starting replication', 'START SLAVE', [], limits);
  }

  async stopReplica(limits: Limits): Promise<void> {
    await this.run('stopping replication', 'STOP SLAVE', [], limits);
  }

  async follow(source: SourceAddress, options: { readonly demoted: boolean }, limits: Limits): Promise<void> {
    const { accounts, replicaCa } = this.options;
    const tls =
      replicaCa === '' ? '' : ', MASTER_SSL = 1, MASTER_SSL_CA = ?, MASTER_SSL_VERIFY_SERVER_CERT = 1';
    const { user, password } = accounts.replication;
    const change = (demote: string): string => `STOP SLAVE;
      CHANGE MASTER TO MASTER_HOST = ?, MASTER_PORT = ?, MASTER_USER = ?, MASTER_PASSWORD = ?,
        MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 1${tls}${demote};
      START SLAVE`;
    const values = [source.host, source.port, user, password.reveal(), ...(tls === '' ? [] : [replicaCa])];
    await this.sessions.with(limits, async (session) => {
      const [row] = await session.rows('reading its source', 'SHOW SLAVE STATUS', [], limits);
      const isSame = text(row, 'Master_Host') === source.host && number(row, 'Master_Port') === source.port;
      if (isSame && text(row, 'Slave_IO_Running') === 'Yes' && flag(row, 'Slave_SQL_Running')) return;
      // The strict mode refuses to replicate unless the transactions that it wrote as the primary count as received.
      const demote = options.demoted && row === undefined ? ', MASTER_DEMOTE_TO_SLAVE = 1' : '';
      await session.rows(`following ${hostPort(source.host, source.port)}`, change(demote), values, limits);
    });
  }

  async forgetSource(limits: Limits): Promise<void> {
    await this.run('forgetting its source', 'STOP SLAVE; RESET SLAVE ALL', [], limits);
  }

  async setSemiSyncSource(on: boolean, limits: Limits): Promise<void> {
    const sql = `SET GLOBAL rpl_semi_sync_master_enabled = ${on ? 'ON' : 'OFF'}`;
    await this.run(`switching semi-sync of a source ${on ? 'on' : 'off'}`, sql, [], limits);
  }

  async setSemiSyncReplica(on: boolean, limits: Limits): Promise<void> {
    await this.sessions.with(limits, async (session) => {
      const asked = 'SELECT @@rpl_semi_sync_slave_enabled AS flag';
      const [row] = await session.rows('reading semi-sync', asked, [], limits);
      if (flag(row, 'flag') === on) return;
      const sql = `SET GLOBAL rpl_semi_sync_slave_enabled = ${on ? 'ON' : 'OFF'}`;
      await session.rows(`switching semi-sync of a replica ${on ? 'on' : 'off'}`, sql, [], limits);
      const asking = 'SHOW SLAVE STATUS; SELECT @@gtid_slave_pos AS applied';
      const [[channel] = [], [at] = []] = await session.results('reading its receiver', asking, [], limits);
      if (channel === undefined || text(channel, 'Slave_IO_Running') === 'No') return;
      // A restart of the receiver deletes a backlog; with one, the setting takes effect at its next start.
      const received = parseGtids('mariadb', text(channel, 'Gtid_IO_Pos'));
      if (!isEmpty(ahead(received, parseGtids('mariadb', text(at, 'applied'))))) return;
      await session.rows(
        'restarting the receiver',
        'STOP SLAVE IO_THREAD; START SLAVE IO_THREAD',
        [],
        limits,
      );
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

  injectEmpty(_gtids: Gtids, _limits: Limits): Promise<void> {
    return Promise.reject(
      new UserError({
        message: `${this.name}: MariaDB writes no transaction without content to its binary log`,
        hint: '`failover rejoin INSTANCE --clone` makes it a copy of the primary instead',
      }),
    );
  }

  async transactions(gtids: Gtids, limits: Limits): Promise<readonly LoggedTransaction[]> {
    return await this.sessions.with(limits, (session) => loggedTransactions(session, gtids, limits));
  }

  clone(_donor: SourceAddress, _report: (line: string) => void, _limits: Limits): Promise<void> {
    return Promise.reject(
      new UserError(`${this.name}: MariaDB is copied by the machines below (mariadb-backup), not by SQL`),
    );
  }

  /**
   * Returns the transactions before the oldest binary log, as far as they are known. SHOW BINARY LOGS blocks while commits
   * wait for an acknowledgement: it is not asked then, so that reading a state never waits for them.
   */
  async #knownPurged(session: Session, state: InstanceState, limits: Limits): Promise<Gtids> {
    const known = this.#purged?.gtids ?? state.purged;
    const isFresh = this.#purged && performance.now() - this.#purged.at < PURGED_AGE_MS;
    const { ackers, requiredAcks, enabled } = state.semiSync.source;
    const isStuck =
      (enabled && ackers < requiredAcks) || state.waitingForAck.some((thread) => thread.seconds >= 1);
    if (isFresh || isStuck) return known;
    try {
      return await this.#readPurged(session, {
        ...limits,
        timeoutMs: Math.min(limits.timeoutMs, PURGED_LIMIT_MS),
      });
    } catch (error) {
      if (!(error instanceof ServerFailure) || error.silence.kind !== 'timeout') throw error;
      // It is not asked again at once: each such statement stays on the server until it can answer.
      this.#purged = { at: performance.now(), gtids: known };
      return known;
    }
  }

  /** Lists the sessions of clients: not replication, not ours. */
  #clients(): string {
    const { failover, replication } = this.options.accounts;
    return `SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND user <> 'system user'
      AND command NOT IN ('Binlog Dump', 'Daemon', 'Killed')
      AND user NOT IN ('event_scheduler', ${[failover, replication].map(({ user }) => quoteText(user)).join(', ')})`;
  }

  /** Returns none where the plugin is not loaded; it is asked for again after a while, since a restart may load it. */
  async #lockHolders(session: Session, limits: Limits): Promise<readonly Row[]> {
    const missingAt = this.#lockInfoMissingAt;
    if (missingAt !== undefined && performance.now() - missingAt < LOCK_INFO_AGE_MS) return [];
    try {
      return await session.rows('listing who holds locks', MARIADB_LOCK_HOLDERS, [], limits);
    } catch (error) {
      if (!(error instanceof ServerFailure) || error.errno !== UNKNOWN_TABLE) throw error;
      this.#lockInfoMissingAt = performance.now();
      return [];
    }
  }

  async #readPurged(session: Session, limits: Limits): Promise<Gtids> {
    const logs = await session
      .rows('listing the binary logs', 'SHOW BINARY LOGS', [], limits)
      .catch((error: unknown) => {
        // The server writes no binary log, so nothing can be missing from it.
        if (error instanceof ServerFailure && error.silence.alive) return undefined;
        throw error;
      });
    const gtids =
      logs === undefined
        ? noGtids('mariadb')
        : upTo(
            await firstPosition(
              session,
              logs.map((row) => text(row, 'Log_name')),
              limits,
            ),
          );
    this.#purged = { at: performance.now(), gtids };
    return gtids;
  }
}

/**
 * Returns the position at which the binary logs begin. The first logs of a copied instance are empty and do not name it:
 * then it is the number before the first logged transaction, or all that was applied when nothing is logged yet.
 */
async function firstPosition(session: Session, logs: readonly string[], limits: Limits): Promise<Gtids> {
  const doing = 'reading where the binary logs begin';
  for (const log of logs.slice(0, MOST_EMPTY_LOGS)) {
    const sql = `SELECT BINLOG_GTID_POS(?, 4) AS position; SHOW BINLOG EVENTS IN ? LIMIT ${FIRST_EVENTS}`;
    const [[row] = [], events = []] = await session.results(doing, sql, [log, log], limits);
    const position = parseGtids('mariadb', text(row, 'position'));
    if (!isEmpty(position)) return position;
    for (const event of events) {
      const match = /^(?:BEGIN )?GTID (\d+)-(\d+)-(\d+)/.exec(text(event, 'Info'));
      if (match) return parseGtids('mariadb', `${match[1]}-${match[2]}-${Number(match[3]) - 1}`);
    }
  }
  const [row] = await session.rows(doing, 'SELECT @@gtid_slave_pos AS position', [], limits);
  return parseGtids('mariadb', text(row, 'position'));
}
