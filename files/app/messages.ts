import type { DatabaseConfig } from './config.ts';
import type { Session } from './connect.ts';
import { errorCode, judge, Unavailable } from './failure.ts';
import { createPool } from './pool.ts';
import type { Position } from './position.ts';

export interface Message {
  readonly id: number;
  readonly author: string;
  readonly body: string;
  /** The server whose app took it. */
  readonly server: string;
  /** The host of the instance that accepted it. */
  readonly acceptedBy: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface NewMessage {
  readonly author: string;
  readonly body: string;
  /** Sent again, it stores nothing and returns what was stored. */
  readonly requestId: string;
}

/** An answer, and the host of the instance that gave it. */
export interface Answer<Value> {
  readonly value: Value;
  readonly host: string;
}

export interface Messages {
  list(options: {
    readonly limit: number;
    readonly before?: number | undefined;
    readonly position?: Position | undefined;
  }): Promise<Answer<readonly Message[]>>;
  add(message: NewMessage): Promise<Answer<Message> & { readonly position: Position }>;
  /** The hosts of the instances that would answer now. */
  whoAnswers(patienceMs: number): Promise<{ readonly writer: string; readonly reader: string }>;
  /** Creates the table where there is none. */
  prepare(patienceMs: number): Promise<void>;
  /** What of the database is missing for requests to succeed, in sentences; empty: nothing. */
  lacks(patienceMs: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** How long a replica may take to catch up before the primary is asked instead, in seconds. */
const CATCH_UP_SECONDS = 0.5;
/** When the readers do not work, the primary is asked after this time, in milliseconds. */
const READER_PATIENCE_MS = 2500;
const READ_TIMEOUT_MS = 2000;
/** A commit may wait for a replica's acknowledgement. */
const WRITE_TIMEOUT_MS = 4000;

const TABLE = `CREATE TABLE IF NOT EXISTS messages (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  request_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  author VARCHAR(40) NOT NULL,
  body VARCHAR(500) NOT NULL,
  server VARCHAR(64) NOT NULL,
  accepted_by VARCHAR(64) NOT NULL,
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY request_id (request_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;
const COLUMNS = `id, author, body, server, accepted_by AS acceptedBy,
  CAST(UNIX_TIMESTAMP(created_at) * 1000 AS UNSIGNED) AS createdAt`;

class Behind extends Error {}

/** The messages of the board: writes go to the primary, reads to a replica that has what the visitor wrote. */
export function openMessages(config: DatabaseConfig, server: string): Messages {
  const credentials = { database: config.database, user: config.user, password: config.password };
  const writers = createPool({ endpoints: config.writers, credentials, size: 10, maxAgeMs: 600_000 });
  const readers = createPool({ endpoints: config.readers, credentials, size: 20, maxAgeMs: 30_000 });

  const read = async <Result>(
    patienceMs: number,
    position: Position | undefined,
    work: (session: Session) => Promise<Result>,
  ): Promise<Answer<Result>> => {
    const deadline = Date.now() + patienceMs;
    const answer = async (session: Session): Promise<Answer<Result>> => ({
      value: await work(session),
      host: session.host,
    });
    if (position?.kind === 'primary') return writers.run(deadline, answer);
    for (;;) {
      const readerDeadline = Math.min(deadline, Date.now() + READER_PATIENCE_MS);
      try {
        return await readers.run(readerDeadline, async (session) => {
          if (position && !(await hasReached(session, position.gtid))) throw new Behind();
          return answer(session);
        });
      } catch (error) {
        if (!(error instanceof Behind || error instanceof Unavailable || isMissingTable(error))) throw error;
      }
      try {
        return await writers.run(Math.min(deadline, Date.now() + READER_PATIENCE_MS), answer);
      } catch (error) {
        if (!(error instanceof Unavailable) || Date.now() + 100 > deadline) throw error;
      }
    }
  };

  return {
    list({ limit, before, position }) {
      const sql = `SELECT ${COLUMNS} FROM messages WHERE id < ? ORDER BY id DESC LIMIT ${Math.trunc(limit)}`;
      const values = [String(before ?? Number.MAX_SAFE_INTEGER)];
      return read(config.patienceMs, position, (session) => select<Message>(session, sql, values));
    },

    add(message) {
      return writers.run(Date.now() + config.patienceMs, async (session) => {
        const position = await insert(session, message, server);
        const [stored] = await select<Message>(
          session,
          `SELECT ${COLUMNS} FROM messages WHERE request_id = ?`,
          [message.requestId],
        );
        if (!stored) throw new Error(`message ${message.requestId} is gone as soon as it was stored`);
        return { value: stored, host: session.host, position };
      });
    },

    async whoAnswers(patienceMs) {
      const deadline = Date.now() + patienceMs;
      const host = (session: Session) => select(session, 'SELECT 1').then(() => session.host);
      const [writer, reader] = await Promise.all([writers.run(deadline, host), readers.run(deadline, host)]);
      return { writer, reader };
    },

    async prepare(patienceMs) {
      await writers.run(Date.now() + patienceMs, async (session) => {
        try {
          await select(session, 'SELECT id FROM messages LIMIT 1');
        } catch (error) {
          if (!isMissingTable(error)) throw error;
          await session.connection.query({ sql: TABLE, timeout: WRITE_TIMEOUT_MS });
        }
      });
    },

    async lacks(patienceMs) {
      const [readable, writable] = await Promise.allSettled([
        read(patienceMs, undefined, (session) => select(session, 'SELECT id FROM messages LIMIT 1')),
        writers.run(Date.now() + patienceMs, mustTakeWrites),
      ]);
      return [
        ...(readable.status === 'rejected' ? [`messages cannot be read: ${whyNot(readable.reason)}`] : []),
        ...(writable.status === 'rejected' ? [`no database takes writes: ${whyNot(writable.reason)}`] : []),
      ];
    },

    async close() {
      await Promise.all([writers.close(), readers.close()]);
    },
  };
}

async function select<Row>(
  session: Session,
  sql: string,
  values: readonly string[] = [],
): Promise<readonly Row[]> {
  const [rows] = await session.connection.execute({ sql, timeout: READ_TIMEOUT_MS }, [...values]);
  return rows as unknown as readonly Row[];
}

/** Stores a message unless it already is, and says up to where a replica must have come to know it. */
async function insert(session: Session, message: NewMessage, server: string): Promise<Position> {
  try {
    const [result] = await session.connection.execute(
      {
        sql: `INSERT INTO messages (request_id, author, body, server, accepted_by)
              VALUES (?, ?, ?, ?, @@hostname)`,
        timeout: WRITE_TIMEOUT_MS,
      },
      [message.requestId, message.author, message.body, server],
    );
    const gtid =
      session.flavour === 'mariadb'
        ? (await select<{ gtid: string }>(session, 'SELECT @@last_gtid AS gtid'))[0]?.gtid
        : (result as { stateChanges?: { gtids: readonly string[] } }).stateChanges?.gtids[0];
    return gtid ? { kind: 'gtid', gtid } : { kind: 'primary' };
  } catch (error) {
    // An earlier attempt got through, though its answer was lost.
    if (errorCode(error) === 'ER_DUP_ENTRY') return { kind: 'primary' };
    throw error;
  }
}

async function hasReached(session: Session, gtid: string): Promise<boolean> {
  const sql =
    session.flavour === 'mariadb'
      ? 'SELECT MASTER_GTID_WAIT(?, ?) AS outcome'
      : 'SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?) AS outcome';
  try {
    const [rows] = await session.connection.query({ sql, timeout: READ_TIMEOUT_MS }, [
      gtid,
      CATCH_UP_SECONDS,
    ]);
    return Number((rows as unknown as readonly { outcome: number }[])[0]?.outcome) === 0;
  } catch (error) {
    // A position of the other flavour, or of a cluster that is gone: only the primary can say.
    if (judge(error) === 'final') return false;
    throw error;
  }
}

/** Fails as a write would on an instance that takes none, so that another one is tried. */
async function mustTakeWrites(session: Session): Promise<void> {
  const [row] = await select<{ readOnly: unknown }>(session, 'SELECT @@GLOBAL.read_only AS readOnly');
  if (['0', 'OFF'].includes(String(row?.readOnly))) return;
  throw Object.assign(new Error('the instance is read-only'), { code: 'ER_OPTION_PREVENTS_STATEMENT' });
}

/** The code alone, for all to see: an error's text may name accounts and addresses. */
function whyNot(error: unknown): string {
  const cause = error instanceof Unavailable ? error.cause : error;
  return errorCode(cause) ?? 'no answer';
}

function isMissingTable(error: unknown): boolean {
  return errorCode(error) === 'ER_NO_SUCH_TABLE';
}
