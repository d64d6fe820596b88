import test from 'ava';

import { parseGtids } from '../../src/database/gtid.ts';
import { loggedTransactions } from '../../src/database/logged-transactions.ts';
import type { LoggedTransaction } from '../../src/database/server.ts';
import type { Row, Session } from '../../src/database/session.ts';

const UUID = 'a880b5ee-e70d-11f1-9fd5-02a0ef0216e9';

/** What a server answers to the two statements that are asked; rows are `type: info`, as SHOW BINLOG EVENTS has them. */
function sessionWith(logs: Readonly<Record<string, readonly string[]>>): Session & { asked: string[] } {
  const asked: string[] = [];
  const rows = (_doing: string, sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> => {
    if (sql === 'SHOW BINARY LOGS')
      return Promise.resolve(Object.keys(logs).map((Log_name) => ({ Log_name })));
    asked.push(String(values[0]));
    const [, from = 0, most = 0] = (/ FROM (\d+) LIMIT (\d+)$/.exec(sql) ?? []).map(Number);
    const events = (logs[String(values[0])] ?? []).map((line, index) => {
      const [type = '', ...info] = line.split(': ');
      // MariaDB's row events that came by replication do not say where they end.
      const End_log_pos = /_rows|Table_map/.test(type) ? 0 : index + 5;
      return { Event_type: type, Info: info.join(': '), Pos: index + 4, End_log_pos };
    });
    return Promise.resolve(events.filter(({ Pos }) => Pos >= from).slice(0, most));
  };
  return { id: 1, isOpen: true, asked, rows, results: () => Promise.resolve([]), destroy: () => {} };
}

const read = async (
  flavour: 'mysql' | 'mariadb',
  wanted: string,
  logs: Readonly<Record<string, readonly string[]>>,
): Promise<{ found: readonly LoggedTransaction[]; asked: readonly string[] }> => {
  const session = sessionWith(logs);
  return {
    found: await loggedTransactions(session, parseGtids(flavour, wanted), { timeoutMs: 1000 }),
    asked: session.asked,
  };
};

test('of MySQL, what was done to which table is told, and nothing of the transactions beside', async (t) => {
  const { found } = await read('mysql', `${UUID}:2-3`, {
    'binlog.000002': [
      `Previous_gtids: ${UUID}:1`,
      `Gtid: SET @@SESSION.GTID_NEXT= '${UUID}:2'`,
      'Query: BEGIN',
      'Table_map: table_id: 91 (app.messages)',
      'Write_rows: table_id: 91 flags: STMT_END_F',
      'Table_map: table_id: 92 (app.tags)',
      'Update_rows: table_id: 92 flags: STMT_END_F',
      'Update_rows: table_id: 92 flags: STMT_END_F',
      'Xid: COMMIT /* xid=1 */',
      `Gtid: SET @@SESSION.GTID_NEXT= '${UUID}:3'`,
      'Query: CREATE TABLE app.t (id INT)',
      `Gtid: SET @@SESSION.GTID_NEXT= '${UUID}:4'`,
      'Query: DROP TABLE app.t',
    ],
  });
  t.deepEqual(found, [
    {
      gtid: `${UUID}:2`,
      log: 'binlog.000002',
      position: 5,
      changes: [
        { table: 'app.messages', kind: 'insert', events: 1 },
        { table: 'app.tags', kind: 'update', events: 2 },
      ],
      statements: [],
    },
    {
      gtid: `${UUID}:3`,
      log: 'binlog.000002',
      position: 13,
      changes: [],
      statements: ['CREATE TABLE app.t (id INT)'],
    },
  ]);
});

test('of MariaDB, a transaction of another server with a number in between is none of those asked for', async (t) => {
  const { found } = await read('mariadb', '0-3-45..46', {
    'binlog.000001': [
      'Gtid_list: [0-1-43]',
      'Gtid: BEGIN GTID 0-1-44',
      'Table_map: table_id: 20 (a.t)',
      'Write_rows_v1: table_id: 20 flags: STMT_END_F',
      'Gtid: BEGIN GTID 0-3-45',
      'Table_map: table_id: 20 (a.t)',
      'Delete_rows_compressed_v1: table_id: 20 flags: STMT_END_F',
      'Gtid: GTID 0-3-46',
      'Query: CREATE TABLE a.err (id INT)',
      'Gtid: GTID 0-2-46',
      'Query: CREATE TABLE a.other (id INT)',
    ],
  });
  t.deepEqual(
    found.map(({ gtid, changes, statements }) => ({ gtid, changes, statements })),
    [
      { gtid: '0-3-45', changes: [{ table: 'a.t', kind: 'delete', events: 1 }], statements: [] },
      { gtid: '0-3-46', changes: [], statements: ['CREATE TABLE a.err (id INT)'] },
    ],
  );
});

test('the newest log is read first, and no older one when everything was found', async (t) => {
  const transaction = (number: number): string => `Gtid: SET @@SESSION.GTID_NEXT= '${UUID}:${number}'`;
  const logs = {
    'binlog.000001': [transaction(1)],
    'binlog.000002': [transaction(2)],
    'binlog.000003': [transaction(3)],
  };
  const { found, asked } = await read('mysql', `${UUID}:2-3`, logs);
  t.deepEqual(
    found.map(({ gtid }) => gtid),
    [`${UUID}:2`, `${UUID}:3`],
  );
  t.deepEqual(asked, ['binlog.000003', 'binlog.000002']);
});

test('what is purged is not there, and that is no failure', async (t) => {
  const { found } = await read('mysql', `${UUID}:1-2`, {
    'binlog.000009': [`Gtid: SET @@SESSION.GTID_NEXT= '${UUID}:2'`, 'Query: DROP TABLE a.t'],
  });
  t.deepEqual(
    found.map(({ gtid }) => gtid),
    [`${UUID}:2`],
  );
});

test('no hash of a password is shown', async (t) => {
  const statements = [
    "CREATE USER 'a'@'%' IDENTIFIED WITH 'caching_sha2_password' AS '$A$005$THEHASH'",
    "ALTER USER 'a'@'%' IDENTIFIED BY 'THEHASH'",
    "SET PASSWORD FOR 'a'@'%'='*THEHASH'",
    "GRANT SELECT ON *.* TO 'a'@'%' IDENTIFIED BY PASSWORD '*THEHASH'",
    "CHANGE MASTER TO MASTER_PASSWORD='THEHASH'",
  ];
  const { found } = await read('mysql', `${UUID}:1-${statements.length}`, {
    'binlog.000001': statements.flatMap((statement, index) => [
      `Gtid: SET @@SESSION.GTID_NEXT= '${UUID}:${index + 1}'`,
      `Query: ${statement}`,
    ]),
  });
  for (const {
    statements: [shown = ''],
  } of found) {
    t.false(shown.includes('THEHASH'), shown);
    t.true(shown.includes('[REDACTED]'), shown);
  }
  t.is(found.length, statements.length);
});

test('a log that is longer than one portion is read to its end, each event once', async (t) => {
  const transactions = Array.from({ length: 4000 }, (_, index) => [
    `Gtid: BEGIN GTID 0-3-${index + 1}`,
    'Table_map: table_id: 139 (app.messages)',
    'Write_rows_v1: table_id: 139 flags: STMT_END_F',
    'Xid: COMMIT /* xid=1 */',
  ]);
  const { found, asked } = await read('mariadb', '0-3-1250..1251', {
    'binlog.000001': transactions.flat(),
  });
  t.deepEqual(
    found.map(({ gtid, changes }) => ({ gtid, changes })),
    ['0-3-1250', '0-3-1251'].map((gtid) => ({
      gtid,
      changes: [{ table: 'app.messages', kind: 'insert', events: 1 }],
    })),
  );
  t.is(asked.length, 4);
});
