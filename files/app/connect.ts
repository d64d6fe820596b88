import { createConnection, type Connection } from 'mysql2/promise';
import type { DatabaseConfig, Endpoint } from './config.ts';

export type Flavour = 'mysql' | 'mariadb';

/** An open connection and what is known of its other end. */
export interface Session {
  readonly connection: Connection;
  readonly endpoint: Endpoint;
  /** The host that runs the instance. */
  readonly host: string;
  readonly flavour: Flavour;
  readonly openedAt: number;
}

export type Credentials = Pick<DatabaseConfig, 'database' | 'user' | 'password'>;

const CONNECT_TIMEOUT_MS = 2000;
/** When an endpoint has not answered within this time, the next one is tried beside it. */
const HEAD_START_MS = 200;

/** Connects to the first endpoint that answers. A dead one, which says nothing at all, costs only its head start. */
export function connectToAny(endpoints: readonly Endpoint[], credentials: Credentials): Promise<Session> {
  return new Promise((resolve, reject) => {
    let lastError: unknown = new Error('there is no endpoint');
    let next = 0;
    let running = 0;
    let settled = false;
    let timer: NodeJS.Timeout | undefined;
    const start = (): void => {
      clearTimeout(timer);
      const endpoint = settled ? undefined : endpoints[next++];
      if (endpoint === undefined) {
        if (running === 0 && !settled) reject(lastError);
        return;
      }
      running++;
      timer = setTimeout(start, HEAD_START_MS);
      connectTo(endpoint, credentials).then(
        (session) => {
          running--;
          if (settled) return session.connection.destroy();
          settled = true;
          clearTimeout(timer);
          resolve(session);
        },
        (error: unknown) => {
          running--;
          lastError = error;
          start();
        },
      );
    };
    start();
  });
}

async function connectTo(endpoint: Endpoint, credentials: Credentials): Promise<Session> {
  const connection = await createConnection({
    ...endpoint,
    ...credentials,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    keepAliveInitialDelay: 1000,
    charset: 'utf8mb4_general_ci',
  });
  // An idle connection that breaks is noticed when it is used next; without a listener it would end the process.
  connection.on('error', () => {});
  try {
    const [rows] = await connection.query({
      sql: 'SELECT @@hostname AS host, VERSION() AS version',
      timeout: CONNECT_TIMEOUT_MS,
    });
    const [row] = rows as unknown as readonly { host: string; version: string }[];
    const flavour: Flavour = row?.version.includes('MariaDB') ? 'mariadb' : 'mysql';
    if (flavour === 'mysql') await connection.query('SET SESSION session_track_gtids = OWN_GTID');
    return { connection, endpoint, host: row?.host ?? '', flavour, openedAt: Date.now() };
  } catch (error) {
    connection.destroy();
    throw error;
  }
}
