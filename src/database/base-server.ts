import { poll, within } from '../lib/async.ts';
import { listed } from '../lib/listed.ts';
import { DISABLED_EVENTS, enableEvents } from './enable-events.ts';
import { ServerFailure } from './failure.ts';
import { type Identity, serverLimitation } from './limitation.ts';
import { number, text } from './rows.ts';
import { runOrUndo, type Undoable } from './run-or-undo.ts';
import type { Limits } from './server.ts';
import type { ServerOptions } from './server-options.ts';
import type { Session } from './session.ts';
import { Sessions } from './sessions.ts';
import { parseVersion } from './version.ts';

/** Error numbers for a schema or a table that does not exist. */
const MISSING = new Set([1049, 1146]);
const NO_SUCH_THREAD = 1094;
/** MySQL refuses to end a session whose account has SYSTEM_USER when our account lacks it. */
const NOT_OWNER = 1095;
/** XAER_NOTA */
const NO_SUCH_XID = 1397;
const ENDING_POLL_MS = 20;
const READING = 'reading its state';
/** The server keeps the time limit itself; the client waits this much longer for its answer to arrive. */
const GRACE_MS = 500;
/** Implements what MySQL and MariaDB do in the same way. */
export abstract class BaseServer {
  readonly name: string;
  protected readonly options: ServerOptions;
  protected readonly sessions: Sessions;
  #closing: Promise<void> = Promise.resolve();

  constructor(options: ServerOptions) {
    this.name = options.name;
    this.options = options;
    this.sessions = new Sessions({
      name: options.name,
      address: options.address,
      port: options.port,
      dial: options.dial,
      account: options.accounts.failover,
      tls: options.tls,
      connectTimeoutMs: options.connectTimeoutMs,
    });
  }

  onLost(listener: () => void): () => void {
    return this.sessions.onLost(listener);
  }

  close(): Promise<void> {
    this.sessions.close();
    return Promise.resolve();
  }

  async ping(limits: Limits): Promise<void> {
    await this.run('asking whether it is there', 'DO 1', [], limits);
  }

  async enableEvents(disabled: readonly string[], limits: Limits): Promise<number> {
    return await this.sessions.with(limits, (session) => enableEvents(session, new Set(disabled), limits));
  }

  async disabledEvents(limits: Limits): Promise<readonly string[]> {
    const found = await this.sessions.with(limits, (session) =>
      session.rows('listing the disabled events', DISABLED_EVENTS, [], limits),
    );
    return found.map((row) => text(row, 'name'));
  }

  async killSession(id: number, limits: Limits): Promise<void> {
    await this.sessions.with(limits, async (session) => {
      try {
        await session.rows(`ending session ${id}`, 'KILL ?', [id], limits);
      } catch (error) {
        if (!(error instanceof ServerFailure && error.errno === NO_SUCH_THREAD)) throw error;
      }
    });
  }

  async endSessions(ids: readonly number[], limits: Limits): Promise<void> {
    const doing = 'ending sessions';
    const fail = (kind: 'error' | 'timeout', message: string): ServerFailure =>
      new ServerFailure(this.name, doing, { kind, alive: true, message });
    await this.sessions.with(limits, async (session) => {
      const notOurs: number[] = [];
      for (const id of ids) {
        if ((await refusalOf(session, `KILL ${id}`, limits)) === NOT_OWNER) notOurs.push(id);
      }
      if (notOurs.length > 0) {
        const message = `our account may not end ${listed(notOurs.map(String))}: of an administrator (SYSTEM_USER), who ends it by KILL`;
        throw fail('error', message);
      }
      const list = ids.join(', ');
      const sql =
        this.options.flavour === 'mysql'
          ? `SELECT processlist_id AS id FROM performance_schema.threads WHERE processlist_id IN (${list})`
          : `SELECT id FROM information_schema.processlist WHERE id IN (${list})`;
      const isOver = async (): Promise<true | undefined> =>
        (await session.rows(doing, sql, [], limits)).length === 0 || undefined;
      const { timeoutMs: withinMs, signal } = limits;
      if (await poll(isOver, { everyMs: ENDING_POLL_MS, withinMs, signal })) return;
      throw fail('timeout', `they are still rolling back after ${withinMs} ms`);
    });
  }

  async endPrepared(
    { xid, how }: { readonly xid: string; readonly how: 'commit' | 'rollback' },
    limits: Limits,
  ): Promise<void> {
    try {
      // The name is as XA RECOVER has told it, in the words of SQL.
      const sql = `XA ${how === 'commit' ? 'COMMIT' : 'ROLLBACK'} ${xid}`;
      await this.run('ending a prepared transaction', sql, [], limits);
    } catch (error) {
      if (!(error instanceof ServerFailure && error.errno === NO_SUCH_XID)) throw error;
    }
  }

  async runSql(sql: string, limits: Limits): Promise<void> {
    await this.run('running the operators’ SQL', sql, [], limits);
  }

  /**
   * Reads what only a server of the right kind can answer. One of another flavour, of an old release or of another product
   * does not understand the question: then the failure says that, and not which word.
   */
  protected async readAs<Result>(
    session: Session,
    limits: Limits,
    read: () => Promise<Result>,
  ): Promise<Result> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ServerFailure) || error.silence.kind !== 'error' || !session.isOpen) throw error;
      const sql = 'SELECT @@version AS version, @@version_comment AS comment';
      const [row] = await session.rows('asking its version', sql, [], limits);
      const versionText = text(row, 'version');
      const version = parseVersion(versionText);
      const variables = new Map([['version_comment', text(row, 'comment')]]);
      this.refuseUnsupported({ versionText, version, variables, groupMembers: [] });
      if (version === undefined || version.flavour === this.options.flavour) throw error;
      const said = version.flavour === 'mysql' ? `MySQL ${version.text}` : version.text;
      const message = `it is ${said}, and its inventory says mysql_flavour: ${this.options.flavour}`;
      throw new ServerFailure(
        this.name,
        READING,
        { kind: 'error', alive: true, message },
        { errno: error.errno, hint: `-e mysql_flavour=${version.flavour}, or in the inventory` },
      );
    }
  }

  /** Leaves a server alone that this tool does not work with: it gives no state, so no plan has a part for it. */
  protected refuseUnsupported(identity: Identity): void {
    const limitation = serverLimitation(identity);
    if (limitation === undefined) return;
    throw new ServerFailure(this.name, READING, { kind: 'unsupported', alive: true, message: limitation });
  }

  protected async run(doing: string, sql: string, values: readonly unknown[], limits: Limits): Promise<void> {
    await this.sessions.with(limits, (session) => session.rows(doing, sql, values, limits));
  }

  /**
   * Ends the sessions that the query lists, and asks again until it lists none. Returns how many were ended. It leaves the
   * sessions of administrators that our account may not end.
   */
  protected async endListed(query: string, kill: (id: number) => string, limits: Limits): Promise<number> {
    const deadline = performance.now() + limits.timeoutMs;
    return await this.sessions.with(limits, async (session) => {
      const ended = new Set<number>();
      const notOurs = new Set<number>();
      for (let isFirst = true; isFirst || performance.now() < deadline; isFirst = false) {
        const found = await session.rows('listing the clients', query, [], limits);
        const ids = found.map((row) => number(row, 'id')).filter((id) => !notOurs.has(id));
        if (ids.length === 0) return ended.size;
        // One round trip ends all. When a session has ended by itself, the KILLs behind it fail and are listed again.
        const error = await refusalOf(session, ids.map(kill).join(';'), limits);
        if (error === undefined) for (const id of ids) ended.add(id);
        if (error !== NOT_OWNER) continue;
        for (const id of ids) {
          const one = await refusalOf(session, kill(id), limits);
          if (one === undefined) ended.add(id);
          else if (one === NOT_OWNER) notOurs.add(id);
        }
      }
      return ended.size;
    });
  }

  /** Reads `started`, the server's start by its own clock: the uptime and the time in one statement. */
  protected abstract readonly startQuery: string;

  /** Statements for the server that was looked at; on another start of it, a failure. */
  protected async onSameStart(
    { startedAt }: { readonly startedAt: number | undefined },
    doing: string,
    sql: string,
    limits: Limits,
  ): Promise<void> {
    await this.sessions.with(limits, async (session) => {
      if (startedAt !== undefined) {
        const [row] = await session.rows(doing, this.startQuery, [], limits);
        if (number(row, 'started') * 1000 !== startedAt) {
          const message = 'it was started again in the meantime, and is not as it was left';
          throw new ServerFailure(this.name, doing, { kind: 'error', alive: true, message });
        }
      }
      await session.rows(doing, sql, [], limits);
    });
  }

  /** Becomes read-only, or is as before: see `runOrUndo`. Nothing makes it writable before that is decided. */
  protected async closing(statements: Undoable['statements'], undo: string, limits: Limits): Promise<void> {
    const { name } = this;
    const askMs = this.options.connectTimeoutMs + GRACE_MS;
    const work = runOrUndo(
      this.sessions,
      { name, doing: 'becoming read-only', statements, undo, askMs },
      limits,
    );
    this.#closing = work.catch(() => {});
    await work;
  }

  /** Whoever was interrupted while it became read-only waits here until that has ended. */
  protected async closed(limits: Limits): Promise<void> {
    const message = 'what made it read-only has not ended yet';
    const expired = (): ServerFailure =>
      new ServerFailure(this.name, 'becoming writable', { kind: 'timeout', alive: true, message });
    await within(this.#closing, { ms: limits.timeoutMs, expired });
  }
}

/** Ends sessions. Returns the error number when a session is gone already, or may not be ended by our account. */
async function refusalOf(session: Session, sql: string, limits: Limits): Promise<number | undefined> {
  try {
    await session.rows('ending the clients', sql, [], limits);
    return undefined;
  } catch (error) {
    if (error instanceof ServerFailure && (error.errno === NO_SUCH_THREAD || error.errno === NOT_OWNER))
      return error.errno;
    throw error;
  }
}

/** Lengthens a limit that the server keeps itself, so that its answer still arrives. */
export function withGrace(limits: Limits): Limits {
  return { ...limits, timeoutMs: limits.timeoutMs + GRACE_MS };
}

/** Returns what a query finds, or undefined where its table does not exist. */
export async function orNone<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ServerFailure && MISSING.has(error.errno)) return undefined;
    throw error;
  }
}

/** Both flavours know these two statements, and semi-sync makes the row safe. */
export const JOURNAL_TABLE = `CREATE TABLE IF NOT EXISTS understudy.failovers (
  id VARCHAR(64) PRIMARY KEY, epoch BIGINT NOT NULL, kind VARCHAR(32) NOT NULL, from_instance VARCHAR(255) NOT NULL,
  to_instance VARCHAR(255) NOT NULL, reason TEXT NOT NULL, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6))`;
export const JOURNAL_ROW = `INSERT IGNORE INTO understudy.failovers (id, epoch, kind, from_instance, to_instance, reason)
  VALUES (?, ?, ?, ?, ?, ?)`;
