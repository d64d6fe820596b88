import type { Duplex } from 'node:stream';
import { createConnection } from 'mysql2';
import type { Connection } from 'mysql2/promise';

import { type TimeLimit, within } from '../lib/async.ts';
import type { Dial } from '../lib/dial.ts';
import type { Secret } from '../lib/secret.ts';
import { type DriverError, ServerFailure, silenceFrom } from './failure.ts';
import type { Limits } from './server.ts';

/** A row of a result, by column. */
export type Row = Readonly<Record<string, unknown>>;

export interface Account {
  readonly user: string;
  readonly password: Secret;
}

export interface SessionOptions {
  /** The instance's name, for messages. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly dial: Dial;
  readonly account: Account;
  readonly tls: TlsOptions;
  readonly connectTimeoutMs: number;
}

export interface TlsOptions {
  /** The authority's certificate as PEM. Undefined: encrypted, and whoever answers is believed. */
  readonly ca: string | undefined;
  /** A name in the instance's certificate; undefined checks the authority alone. */
  readonly serverName: string | undefined;
}

/** One connection to an instance. Statements follow one another; each ends by its limit, if with the connection. */
export interface Session {
  readonly id: number;
  /** One result: its rows. */
  rows(doing: string, sql: string, values?: readonly unknown[], limits?: Limits): Promise<readonly Row[]>;
  /** Several statements in one round trip: the rows of each. */
  results(
    doing: string,
    sql: string,
    values: readonly unknown[],
    limits: Limits,
  ): Promise<readonly (readonly Row[])[]>;
  readonly isOpen: boolean;
  destroy(): void;
}

/** Opens a connection; `onLost` hears at once when it breaks, whether or not somebody waits for an answer. */
export async function openSession(
  options: SessionOptions,
  limits: Limits,
  onLost: (session: Session) => void,
): Promise<Session> {
  const doing = 'connecting';
  const timeoutMs = Math.min(limits.timeoutMs, options.connectTimeoutMs);
  limits.signal?.throwIfAborted();
  let stream: Duplex | undefined;
  let connection: Connection | undefined;
  let isOpen = true;
  const timer = new AbortController();
  const connecting = (async (): Promise<Connection> => {
    stream = await options.dial(options.address, options.port);
    if (timer.signal.aborted) {
      stream.destroy();
      throw timer.signal.reason;
    }
    const { tls, account } = options;
    const core = createConnection({
      stream,
      host: tls.serverName ?? options.address,
      user: account.user,
      password: account.password.reveal(),
      ssl: {
        ...(tls.ca === undefined ? { rejectUnauthorized: false } : { ca: tls.ca, rejectUnauthorized: true }),
        verifyIdentity: tls.ca !== undefined && tls.serverName !== undefined,
      },
      multipleStatements: true,
      supportBigNumbers: true,
      dateStrings: true,
      charset: 'utf8mb4_general_ci',
    });
    await new Promise<void>((resolve, reject) => {
      core.once('connect', () => resolve());
      // This listener stays: a connection that breaks may report several errors, the last one while it is closed.
      core.on('error', reject);
    });
    return core.promise();
  })();
  try {
    connection = await within(connecting, inTime({ ...limits, timeoutMs }));
  } catch (error) {
    timer.abort(error);
    stream?.destroy();
    connecting.then(
      (late) => late.destroy(),
      () => {},
    );
    throw failure(options, doing, error);
  }
  const opened = connection;

  const destroy = (): void => {
    isOpen = false;
    opened.destroy();
    stream?.destroy();
  };
  const run = async (
    what: string,
    sql: string,
    values: readonly unknown[],
    given: Limits,
  ): Promise<unknown> => {
    given.signal?.throwIfAborted();
    try {
      const [found] = await within(opened.query(sql, [...values] as string[]), inTime(given));
      return found;
    } catch (error) {
      const failed = failure(options, what, error);
      // The statement may still run on the server: nobody reads its answer, so the connection is not used again.
      if (!failed.silence.alive || given.signal?.aborted) destroy();
      if (given.signal?.aborted) throw given.signal.reason;
      throw failed;
    }
  };
  const session: Session = {
    id: opened.threadId,
    get isOpen() {
      return isOpen;
    },
    destroy,
    async rows(what, sql, values = [], given = limits) {
      const found = await run(what, sql, values, given);
      return Array.isArray(found) ? (found as readonly Row[]) : [];
    },
    async results(what, sql, values, given) {
      const found = await run(what, sql, values, given);
      return (Array.isArray(found) ? found : [found]).map((one: unknown) =>
        Array.isArray(one) ? (one as readonly Row[]) : [],
      );
    },
  };
  const lose = (): void => {
    if (!isOpen) return;
    destroy();
    onLost(session);
  };
  // When a server dies, only its side closes; a channel of SSH stays open until this side closes, too.
  stream?.once('end', lose);
  stream?.once('close', lose);
  return session;
}

/** A failure without the statement that failed, which may hold a password. */
function failure(options: SessionOptions, doing: string, error: unknown): ServerFailure {
  if (error instanceof ServerFailure) return error;
  const silence = silenceFrom(error as DriverError);
  return new ServerFailure(options.name, doing, silence, { errno: (error as DriverError).errno ?? 0 });
}

function inTime({ timeoutMs: ms, signal }: Limits): TimeLimit {
  const expired = (): Error => Object.assign(new Error(`no answer within ${ms} ms`), { code: 'ETIMEDOUT' });
  return { ms, signal, expired };
}
