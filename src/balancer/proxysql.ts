import type { Duplex } from 'node:stream';
import { createConnection } from 'mysql2';

import { within } from '../lib/async.ts';
import { EXIT, UserError } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import type { Balancer } from './balancer.ts';
import { hostAt, targetOf, type Target } from './target.ts';

export interface ProxysqlOptions {
  readonly name: string;
  /** Opens a connection to the admin interface. */
  readonly open: () => Promise<Duplex>;
  /** One that may log in from elsewhere: ProxySQL lets `admin` in from its own host only. */
  readonly user: string;
  readonly password: Secret;
  /** The hostgroup of the writers; the other instances are in it too, as OFFLINE_HARD. */
  readonly writerHostgroup: number;
  readonly targets: readonly Target[];
  readonly timeoutMs: number;
}

type Row = Readonly<Record<string, unknown>>;

/** Sessions go to these: ProxySQL shuns a server that it does not reach, and takes it back by itself. */
const TAKES_SESSIONS = "status NOT IN ('OFFLINE_SOFT', 'OFFLINE_HARD')";

/**
 * A ProxySQL, through its admin interface: the primary is ONLINE in the hostgroup of the writers, and everything else
 * there is OFFLINE_HARD, which ends its sessions. While nobody is ONLINE, ProxySQL lets statements wait by itself
 * (mysql-connect_timeout_server_max, ten seconds); a hold that ends by itself it does not know, so there is none.
 *
 * Its own read_only monitor (mysql_replication_hostgroups) decides the same thing by other rules: it sets a server
 * ONLINE again in the hostgroup of the writers as soon as read_only is off there, so also an old primary that hung and
 * goes on. A hostgroup has one master, so a switchover is refused while that monitor has this one.
 */
export function proxysqlBalancer(options: ProxysqlOptions): Balancer {
  const { name, writerHostgroup: group, targets } = options;
  const failed = (message: string, hint?: string): UserError =>
    new UserError(
      { message: `${name}: ${message}`, ...(hint === undefined ? {} : { hint }) },
      { exitCode: EXIT.failed },
    );

  const writersOn = async (admin: Admin): Promise<readonly string[]> => {
    const rows = await admin.rows(
      `SELECT hostname, port FROM runtime_mysql_servers WHERE hostgroup_id = ${group} AND ${TAKES_SESSIONS} ORDER BY hostname, port`,
    );
    return rows.map((row) => hostAt(targets, String(row['hostname']), Number(row['port'])));
  };

  /** The hostgroups into which ProxySQL's monitor would move the servers of this one. */
  const monitored = async (admin: Admin): Promise<readonly number[]> => {
    const rows = await admin.rows(
      `SELECT reader_hostgroup FROM runtime_mysql_replication_hostgroups WHERE writer_hostgroup = ${group}`,
    );
    return rows.map((row) => Number(row['reader_hostgroup']));
  };

  const load = async (admin: Admin): Promise<void> => {
    await admin.run('LOAD MYSQL SERVERS TO RUNTIME');
    // A ProxySQL that restarts begins with what is on its disk.
    await admin.run('SAVE MYSQL SERVERS TO DISK');
  };

  const takeOut = async (admin: Admin, which: string): Promise<void> => {
    await admin.run(
      `UPDATE mysql_servers SET status = 'OFFLINE_HARD' WHERE hostgroup_id = ${group} AND ${which}`,
    );
  };

  return {
    name,
    kind: 'proxysql',
    checks: false,
    staleSeconds: 0,
    writers: async () => await withAdmin(options, writersOn),
    async expect(server) {
      targetOf(name, targets, server);
      await withAdmin(options, async (admin) => {
        const readers = await monitored(admin);
        if (readers.length > 0) {
          throw failed(
            `ProxySQL's own read_only monitor moves servers in and out of the hostgroup ${group} (mysql_replication_hostgroups), and would bring an old primary back`,
            `DELETE FROM mysql_replication_hostgroups WHERE writer_hostgroup = ${group}; LOAD MYSQL SERVERS TO RUNTIME; SAVE MYSQL SERVERS TO DISK; the hostgroup ${readers.join(', ')} then keeps the readers that you put there`,
          );
        }
        const rows = await admin.rows(`SELECT hostname FROM mysql_servers WHERE hostgroup_id = ${group}`);
        if (rows.length === 0)
          throw failed(`ProxySQL has no servers in the hostgroup ${group}`, 'is it the one of the writers?');
      });
    },
    async endWriters(server) {
      const target = targetOf(name, targets, server);
      await withAdmin(options, async (admin) => {
        // With the monitor at work, a row in its hostgroup of readers is enough to bring the server back.
        for (const other of await monitored(admin)) {
          await admin.run(
            `UPDATE mysql_servers SET status = 'OFFLINE_HARD' WHERE hostgroup_id = ${other} AND ${isAt(target)}`,
          );
        }
        await takeOut(admin, isAt(target));
        await load(admin);
      });
    },
    async pointWriters(server) {
      const target = targetOf(name, targets, server);
      await withAdmin(options, async (admin) => {
        const there = await admin.rows(
          `SELECT hostname FROM mysql_servers WHERE hostgroup_id = ${group} AND ${isAt(target)}`,
        );
        await takeOut(admin, `NOT (${isAt(target)})`);
        await admin.run(
          there.length > 0
            ? `UPDATE mysql_servers SET status = 'ONLINE' WHERE hostgroup_id = ${group} AND ${isAt(target)}`
            : // ProxySQL forgets what is OFFLINE_HARD when its tables are saved from the runtime, as its clusters do.
              `INSERT INTO mysql_servers (hostgroup_id, hostname, port, status) VALUES (${group}, '${target.address}', ${target.port}, 'ONLINE')`,
        );
        await load(admin);
        const writers = await writersOn(admin);
        if (writers.length === 1 && writers[0] === server) return;
        throw failed(
          `ProxySQL counts ${writers.length === 0 ? 'no server' : writers.join(' and ')} as the writer instead of ${server}`,
        );
      });
    },
    async close() {},
  };
}

function isAt({ address, port }: Target): string {
  return `hostname = '${address}' AND port = ${port}`;
}

interface Admin {
  rows(sql: string): Promise<readonly Row[]>;
  run(sql: string): Promise<void>;
}

/** Logs in, works, and logs out again: a connection that is kept would be ended by ProxySQL or by what is between. */
async function withAdmin<T>(options: ProxysqlOptions, work: (admin: Admin) => Promise<T>): Promise<T> {
  const { name, timeoutMs } = options;
  let stream: Duplex | undefined;
  let isOver = false;
  const session = (async (): Promise<T> => {
    stream = await options.open();
    if (isOver) {
      stream.destroy();
      throw late(name, timeoutMs);
    }
    const core = createConnection({
      stream,
      user: options.user,
      password: options.password.reveal(),
      supportBigNumbers: true,
    });
    await new Promise<void>((resolve, reject) => {
      core.once('connect', () => resolve());
      // This listener stays: a connection that breaks may report several errors.
      core.on('error', reject);
    });
    const opened = core.promise();
    return await work({
      rows: async (sql) => {
        const [found] = await opened.query(sql);
        return Array.isArray(found) ? (found as readonly Row[]) : [];
      },
      run: async (sql) => void (await opened.query(sql)),
    });
  })();
  try {
    return await within(session, { ms: timeoutMs, expired: () => late(name, timeoutMs) });
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { message, code } = error as Error & { readonly code?: string };
    throw new UserError(
      { message: `${name}: ProxySQL's admin interface: ${message}` },
      // What has a code of the server was said by ProxySQL itself.
      { exitCode: code?.startsWith('ER_') ? EXIT.failed : EXIT.unreachable, cause: error },
    );
  } finally {
    isOver = true;
    stream?.destroy();
  }
}

function late(name: string, timeoutMs: number): UserError {
  return new UserError(`${name}: ProxySQL's admin interface did not answer within ${timeoutMs} ms`, {
    exitCode: EXIT.unreachable,
  });
}
