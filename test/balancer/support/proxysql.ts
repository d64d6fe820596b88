import { type AddressInfo, createConnection, type Server, type Socket } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import type { Duplex } from 'node:stream';

import { createServer } from 'mysql2';

/*
 * The admin interface of a ProxySQL, as its documentation describes it: MySQL's protocol in front of SQLite, a table of
 * what is configured, one of what counts (runtime_…) and one on the disk, and statements that copy between them. No real
 * ProxySQL was at hand. Like it, what is OFFLINE_HARD is not in the runtime any more.
 */

const SERVERS = `(
  hostgroup_id INT CHECK (hostgroup_id >= 0) NOT NULL DEFAULT 0,
  hostname VARCHAR NOT NULL,
  port INT CHECK (port >= 0 AND port <= 65535) NOT NULL DEFAULT 3306,
  status VARCHAR CHECK (UPPER(status) IN ('ONLINE', 'SHUNNED', 'OFFLINE_SOFT', 'OFFLINE_HARD')) NOT NULL DEFAULT 'ONLINE',
  weight INT NOT NULL DEFAULT 1,
  comment VARCHAR NOT NULL DEFAULT '',
  PRIMARY KEY (hostgroup_id, hostname, port))`;
const GROUPS = `(writer_hostgroup INT NOT NULL PRIMARY KEY, reader_hostgroup INT NOT NULL, comment VARCHAR NOT NULL DEFAULT '')`;

/** Long passwords, a database at login, protocol 4.1, transactions, and the password as a hash of a challenge. */
const CAPABILITIES = 0x00_01 | 0x00_08 | 0x02_00 | 0x20_00 | 0x80_00;

export interface FakeProxysql {
  readonly open: () => Promise<Duplex>;
  readonly database: DatabaseSync;
  /** What an administrator would type, and `LOAD MYSQL SERVERS TO RUNTIME` after it. */
  configure(sql: string): void;
  close(): void;
}

export async function fakeProxysql(user: string): Promise<FakeProxysql> {
  const database = new DatabaseSync(':memory:');
  for (const prefix of ['', 'runtime_', 'disk_']) {
    database.exec(`CREATE TABLE ${prefix}mysql_servers ${SERVERS}`);
    database.exec(`CREATE TABLE ${prefix}mysql_replication_hostgroups ${GROUPS}`);
  }
  const copy = (from: string, to: string, where = ''): void =>
    database.exec(`DELETE FROM ${to}; INSERT INTO ${to} SELECT * FROM ${from} ${where}`);
  const load = (): void => {
    copy('mysql_servers', 'runtime_mysql_servers', "WHERE status <> 'OFFLINE_HARD'");
    copy('mysql_replication_hostgroups', 'runtime_mysql_replication_hostgroups');
  };
  const answer = (sql: string): readonly Record<string, unknown>[] => {
    switch (sql.trim().toUpperCase()) {
      case 'LOAD MYSQL SERVERS TO RUNTIME':
        load();
        return [];
      case 'SAVE MYSQL SERVERS TO DISK':
        copy('mysql_servers', 'disk_mysql_servers');
        return [];
      default:
        return database.prepare(sql).all();
    }
  };

  let id = 0;
  const sockets = new Set<Socket>();
  const mysql = createServer((connection) => {
    // mysql2's server never begins to count anew, as both sides do with each statement; its types lack the counter.
    const countFrom = (sequenceId: number): void => void Object.assign(connection, { sequenceId });
    connection.on('error', () => {});
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.0.11',
      connectionId: ++id,
      statusFlags: 2,
      characterSet: 33,
      capabilityFlags: CAPABILITIES,
      authCallback: (given: { user: string }, done: (error: Error | null, refused?: object) => void) => {
        countFrom(2);
        if (given.user === user) done(null);
        else done(null, { message: `ProxySQL Error: Access denied for user '${given.user}'`, code: 1045 });
        countFrom(0);
      },
    });
    connection.on('query', (sql: string) => {
      countFrom(1);
      try {
        const rows = answer(sql);
        const [first] = rows;
        if (!/^\s*select/i.test(sql)) connection.writeOk();
        else {
          const names = first === undefined ? ['none'] : Object.keys(first);
          const columns = names.map((name) => ({
            catalog: 'def',
            schema: '',
            table: '',
            orgTable: '',
            name,
            orgName: name,
            characterSet: 33,
            columnLength: 255,
            columnType: 253,
            flags: 0,
            decimals: 0,
          }));
          connection.writeTextResult([...rows], columns);
        }
      } catch (error) {
        connection.writeError({ code: 1045, message: `ProxySQL Admin Error: ${(error as Error).message}` });
      }
      countFrom(0);
    });
  });
  await new Promise<void>((listening) => {
    // mysql2 hands its arguments on to Node's server, and its types do not say so.
    const listen = mysql.listen.bind(mysql) as (port: number, host: string, ready: () => void) => void;
    listen(0, '127.0.0.1', listening);
  });
  const { _server: listener } = mysql as unknown as { readonly _server: Server };
  const { port } = listener.address() as AddressInfo;
  return {
    database,
    open: async () =>
      await new Promise((resolve, reject) => {
        const socket = createConnection(port, '127.0.0.1', () => resolve(socket));
        sockets.add(socket);
        socket.once('error', reject);
      }),
    configure(sql) {
      database.exec(sql);
      load();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      mysql.close(() => {});
    },
  };
}
