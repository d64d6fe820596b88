import { createServer } from 'node:http';
import { type Connection, createConnection } from 'mysql2/promise';
import { readSecret } from './config.ts';
import { fresh } from './fresh.ts';
import { judgeRole, roleMetrics, type RoleFacts } from './role.ts';

/*
 * Answers the balancers' question which role the instance on this host has *now*:
 *   /primary   200 when it takes writes
 *   /replica   200 when it is read-only and its replication runs
 *   /readable  200 when it is read-only, whether or not its replication runs
 * and 503 otherwise, also when the instance does not answer in time. /metrics says the same to Prometheus.
 */

const TIMEOUT_MS = 700;

const problems: string[] = [];
const options = {
  socketPath: process.env['ROLE_CHECK_SOCKET'] ?? '/run/mysqld/mysqld.sock',
  user: process.env['ROLE_CHECK_USER'] ?? 'health',
  password: readSecret(process.env, 'ROLE_CHECK_PASSWORD', 'health-password', problems),
};
if (problems.length > 0) throw new Error(problems.join('\n'));

let connection: Promise<Connection> | undefined;

function connect(): Promise<Connection> {
  connection ??= createConnection({ ...options, connectTimeout: TIMEOUT_MS }).then((opened) => {
    opened.on('error', () => (connection = undefined));
    return opened;
  });
  return connection;
}

async function readFacts(): Promise<RoleFacts> {
  try {
    const opened = await connect();
    const rows = async (sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
      const [found] = await opened.query({ sql, timeout: TIMEOUT_MS });
      return found as unknown as readonly Readonly<Record<string, unknown>>[];
    };
    const variables = await rows(
      "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only', 'offline_mode')",
    );
    const replicas = await rows('SHOW REPLICA STATUS');
    return {
      variables: new Map(variables.map((row) => [String(row['Variable_name']), String(row['Value'])])),
      replica: replicas[0],
    };
  } catch (error) {
    const broken = connection;
    connection = undefined;
    broken?.then((opened) => opened.destroy()).catch(() => {});
    throw error;
  }
}

/** Several balancers ask for several roles at once. None may hear the role that the instance had before it asked. */
const facts = fresh(readFacts);

const server = createServer((request, response) => {
  if (request.url === '/metrics') {
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    facts().then(
      (found) => response.end(roleMetrics(judgeRole(found))),
      () => response.end(roleMetrics(undefined)),
    );
    return;
  }
  const answer = (status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  };
  facts().then(
    (found) => {
      const role = judgeRole(found);
      const is = { '/primary': role.primary, '/replica': role.replica, '/readable': role.readable }[
        request.url ?? ''
      ];
      answer(is === undefined ? 404 : is ? 200 : 503, role);
    },
    (error: unknown) => answer(503, { error: (error as { code?: string }).code ?? 'unknown' }),
  );
});
server.keepAliveTimeout = 5000;

// systemd holds the socket, so that a restart of this service is no missed answer; without systemd, a port will do.
const listen = process.env['LISTEN_FDS'] === undefined ? undefined : { fd: 3 };
server.listen(listen ?? { host: '127.0.0.1', port: Number(process.env['ROLE_CHECK_PORT'] ?? 9201) });

process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
