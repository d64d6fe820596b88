import { existsSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Connection, createConnection } from 'mysql2/promise';

import type { WriteLine } from './write.ts';
import type { HttpWriterConfig, SqlWriterConfig, WriterConfig } from './writer-config.ts';

/*
 * The writer of a drill: a program of its own, bundled to one file, which runs on a server of the site with Debian's
 * Node.js. It writes at a steady rate, each write once, and prints a line about each when it knows how it ended:
 *   [id, sentAt, endedAt, 0 acknowledged | 1 refused | 2 unknown, by, error]
 * Whoever reads it knows then which rows must be there. It never writes more than it is told to, and ends by itself.
 */

const CONNECT_MS = 2000;
/** Between attempts to connect: short, since the time to the first accepted write is what is measured. */
const RETRY_MS = 10;

const config = JSON.parse(readFileSync(0, 'utf8')) as WriterConfig;
const now = (): number => Math.round((performance.timeOrigin + performance.now()) * 10) / 10;
const endsAt = performance.now() + config.seconds * 1000;
const isOver = (): boolean => isStopped || performance.now() >= endsAt;
let isStopped = false;
let next = config.first;

const lines: string[] = [];
const say = (line: WriteLine): void => void lines.push(JSON.stringify(line));
const flush = (): void => {
  if (lines.length > 0) process.stdout.write(`${lines.splice(0).join('\n')}\n`);
};
const flusher = setInterval(flush, 20);
const watcher = setInterval(() => {
  if (existsSync(config.stopFile)) isStopped = true;
}, 50);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => (isStopped = true));
// The reader of the lines is gone.
process.stdout.on('error', () => process.exit(1));

let turnAt = performance.now();
/** The workers share one schedule: a steady rate while a worker is free, and no burst after a pause. */
async function turn(): Promise<void> {
  const interval = 1000 / config.perSecond;
  turnAt = Math.max(turnAt + interval, performance.now() - interval);
  const pause = turnAt - performance.now();
  if (pause > 0) await sleep(pause);
}

async function sqlWorker(options: SqlWriterConfig, number: number): Promise<void> {
  let at = number;
  let connection: Connection | undefined;
  let by = '';
  while (!isOver()) {
    if (!connection) {
      const endpoint = options.endpoints[at++ % options.endpoints.length] ?? { host: '', port: 0 };
      try {
        const opened = await connect(options, endpoint);
        connection = opened.connection;
        by = opened.by;
      } catch {
        await sleep(RETRY_MS);
        continue;
      }
    }
    await turn();
    const id = next++;
    const sentAt = now();
    try {
      await connection.query({
        sql: `INSERT INTO ${options.table} (id, accepted_by, sent_at) VALUES (${id}, @@server_id, ${sentAt})`,
        timeout: options.attemptMs,
      });
      say([id, sentAt, now(), 0, by, '']);
    } catch (error) {
      const { code = 'UNKNOWN', errno } = error as { code?: string; errno?: number };
      // Only an answer of the server's says that it was not done; system errors have negative numbers.
      const isAnswer = errno !== undefined && errno > 0 && code.startsWith('ER_') && !AMBIGUOUS.has(code);
      say([id, sentAt, now(), isAnswer ? 1 : 2, by, code]);
      connection.destroy();
      connection = undefined;
    }
  }
  connection?.destroy();
}

/** Answers that come when the statement was killed: it may have been committed before. */
const AMBIGUOUS = new Set([
  'ER_QUERY_INTERRUPTED',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_NEW_ABORTING_CONNECTION',
  'ER_SESSION_WAS_KILLED',
  'ER_CLIENT_INTERACTION_TIMEOUT',
]);

async function connect(
  options: SqlWriterConfig,
  endpoint: { readonly host: string; readonly port: number },
): Promise<{ readonly connection: Connection; readonly by: string }> {
  const connection = await createConnection({
    ...endpoint,
    user: options.user,
    password: options.password,
    database: options.database,
    // A balancer lets new sessions wait while there is no writer.
    connectTimeout: CONNECT_MS * 4,
    enableKeepAlive: true,
    keepAliveInitialDelay: 1000,
  });
  connection.on('error', () => {});
  try {
    const [rows] = await connection.query({ sql: 'SELECT @@server_id AS id', timeout: CONNECT_MS });
    return { connection, by: String((rows as unknown as readonly { id: number }[])[0]?.id) };
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

async function httpWorker(options: HttpWriterConfig, agent: Agent): Promise<void> {
  while (!isOver()) {
    await turn();
    const id = next++;
    const sentAt = now();
    const answer = await post(options, agent, id);
    say([id, sentAt, now(), answer.outcome, answer.by, answer.error]);
  }
}

interface PostAnswer {
  readonly outcome: 0 | 1 | 2;
  readonly by: string;
  readonly error: string;
}

function post(options: HttpWriterConfig, agent: Agent, id: number): Promise<PostAnswer> {
  return new Promise((resolve) => {
    const text = JSON.stringify({ author: options.tag, body: String(id) });
    const sent = request(
      options.url,
      {
        method: 'POST',
        agent,
        timeout: options.attemptMs,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (response) => {
        const by = String(response.headers['x-database'] ?? '');
        const status = response.statusCode ?? 0;
        response.resume();
        response.on('end', () =>
          resolve({ outcome: status === 201 ? 0 : 1, by, error: status === 201 ? '' : `HTTP ${status}` }),
        );
        response.on('error', (error) => resolve({ outcome: 2, by, error: error.message }));
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('TIMEOUT')));
    sent.on('error', (error) =>
      resolve({ outcome: 2, by: '', error: (error as NodeJS.ErrnoException).code ?? error.message }),
    );
    sent.end(text);
  });
}

const agent = new Agent({ keepAlive: true, maxSockets: config.connections });
const workers = Array.from({ length: config.connections }, (_, number) =>
  config.kind === 'sql' ? sqlWorker(config, number) : httpWorker(config, agent),
);
// The process ends even when a worker hangs in an attempt to connect.
const limit = sleep(Math.max(0, endsAt - performance.now()) + config.attemptMs + 1000, undefined, {
  ref: false,
});
const grace = (async (): Promise<void> => {
  while (!isOver()) await sleep(50);
  await sleep(config.attemptMs + 500);
})();
await Promise.race([Promise.all(workers), limit, grace]);
clearInterval(flusher);
clearInterval(watcher);
agent.destroy();
flush();
rmSync(config.stopFile, { force: true });
process.stdout.write('"end"\n', () => process.exit(0));
