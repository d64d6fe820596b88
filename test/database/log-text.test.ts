import { readFileSync } from 'node:fs';
import test from 'ava';

import { parseLoggedTail, parseLogHeads } from '../../src/database/log-text.ts';

/* What the programs of real servers said, through `understudy-node`: MySQL 9.7.4 and MariaDB 10.11.19, both killed. */
const said = (name: string): string => readFileSync(new URL(`log-text/${name}.txt`, import.meta.url), 'utf8');
const UUID = 'adbb9a69-eb79-11f1-9605-022bb2fc5680';

test('the heads of MySQL’s logs say what stands before each', (t) => {
  const heads = parseLogHeads('mysql', said('mysql-9.7-heads'));
  t.deepEqual(
    heads.map(({ name, before }) => `${name} ${before.toString()}`),
    [`binlog.000002 ${UUID}:1-41`, 'binlog.000001 '],
  );
});

test('the heads of MariaDB’s logs say so, too, on one line or on several', (t) => {
  const heads = parseLogHeads(
    'mariadb',
    '#log b.2\n#261128 22:42:17 server id 7  end_log_pos 299 CRC32 0x0 \tGtid list [0-7-3,\n# 1-7-5]\n' +
      '#log b.1\n#261128 22:42:16 server id 7  end_log_pos 285 CRC32 0x0 \tGtid list []\n#261128 22:42:16 server id 7  end_log_pos 327 CRC32 0x0 \tGTID 0-7-1 trans\n#log b.0\nnothing\n',
  );
  t.deepEqual(
    heads.map(({ name, before }) => `${name} ${before.toString()}`),
    ['b.2 0-7-3,1-7-5', 'b.1 '],
  );
});

test('an empty list of a server that began as a copy stands for all that was before its first numbers', (t) => {
  const event = (what: string): string =>
    `#261128 22:42:16 server id 7  end_log_pos 285 CRC32 0x0 \t${what}\n`;
  const heads = parseLogHeads(
    'mariadb',
    `#log b.2\n${event('Gtid list []')}${event('GTID 0-7-51 trans')}${event('GTID 1-7-20 ddl')}${event('GTID 2-7-1')}` +
      `#log b.1\n${event('Gtid list []')}`,
  );
  // The older one holds nothing, and does not say what it lacks.
  t.deepEqual(
    heads.map(({ name, before }) => `${name} ${before.toString()}`),
    ['b.2 0-7-50,1-7-19'],
  );
});

test('what is known of a log is known before what clients wrote in it', (t) => {
  const uuid = '00000000-0000-0000-0000-000000000001';
  const text = [
    `#has ${uuid} 1 1`,
    '#events',
    `SET @@SESSION.GTID_NEXT= '${uuid}:1'/*!*/;`,
    '#261128 22:34:17 server id 1  end_log_pos 2 CRC32 0x0 \tQuery\tthread_id=1',
    'create procedure p() begin',
    '#cut',
    '#damaged',
    `#has ${uuid} 2 9`,
    '#events',
    'end',
    '/*!*/;',
    `#has ${uuid} 3 9`,
    '#cut',
  ].join('\n');
  const { there, isCut, transactions } = parseLoggedTail('mysql', 'b', text);
  t.is(there.toString(), `${uuid}:1`);
  t.false(isCut);
  t.deepEqual(transactions[0]?.statements, [
    `create procedure p() begin #cut #damaged #has ${uuid} 2 9 #events end`,
  ]);
  t.true(parseLoggedTail('mysql', 'b', text.replace('#events', '#cut\n#events')).isCut);
});

test('what MySQL has logged is told transaction by transaction, without secrets', (t) => {
  const { there, transactions } = parseLoggedTail('mysql', 'binlog.000002', said('mysql-9.7'));
  t.is(there.toString(), `${UUID}:42-47`);
  t.deepEqual(
    transactions.map(({ gtid, changes, statements }) => [gtid.split(':')[1], changes, statements]),
    [
      ['42', [], ['create table tail2 (id int primary key, t text)']],
      ['43', [{ table: 'app.tail2', kind: 'insert', events: 1 }], []],
      ['44', [{ table: 'app.tail2', kind: 'update', events: 1 }], []],
      ['45', [{ table: 'app.tail2', kind: 'insert', events: 1 }], []],
      ['46', [], ["CREATE USER 'x2'@'%' IDENTIFIED WITH '[REDACTED]' AS '[REDACTED]'"]],
      ['47', [], ['drop user x2']],
    ],
  );
  t.like(transactions[0], { log: 'binlog.000002', position: 198 });
});

test('what MariaDB has logged is told the same way', (t) => {
  const { there, transactions } = parseLoggedTail('mariadb', 'binlog.000002', said('mariadb-10.11'));
  t.is(there.toString(), '0-7-4..8');
  t.deepEqual(
    transactions.map(({ gtid, changes, statements }) => [gtid, changes, statements]),
    [
      ['0-7-4', [{ table: 'app.tail2', kind: 'insert', events: 1 }], []],
      ['0-7-5', [{ table: 'app.tail2', kind: 'update', events: 1 }], []],
      ['0-7-6', [], ["create user x2 identified by '[REDACTED]'"]],
      ['0-7-7', [], ['drop user x2']],
      ['0-7-8', [], ['alter table tail2 add c int']],
    ],
  );
});

for (const { flavour, file, has, whole } of [
  { flavour: 'mysql', file: 'mysql-9.7', has: '42 47', whole: `${UUID}:42-46` },
  { flavour: 'mariadb', file: 'mariadb-10.11', has: '4 5', whole: '0-7-4..4' },
] as const) {
  test(`${flavour}: a last transaction that was only half written is none`, (t) => {
    const text = said(file).replace(/^(#has \S+) .*$/m, `$1 ${has}`);
    const cut = text.slice(0, text.lastIndexOf('\n#', text.lastIndexOf('Xid = ')) + 1);
    const { there, transactions } = parseLoggedTail(flavour, 'b', cut);
    t.is(there.toString(), whole);
    t.is(transactions.length, flavour === 'mysql' ? 5 : 1);
  });
}

test('lines of a statement are no events, whatever they look like', (t) => {
  const text = [
    "SET @@SESSION.GTID_NEXT= 'aa:1'/*!*/;",
    '#261128 22:34:17 server id 1  end_log_pos 2 CRC32 0x0 \tQuery\tthread_id=1',
    'create procedure p() begin',
    '# at 7',
    "SET @@SESSION.GTID_NEXT= 'aa:9'",
    'end',
    '/*!*/;',
    '',
  ].join('\n');
  const uuid = '00000000-0000-0000-0000-000000000001';
  const { transactions } = parseLoggedTail('mysql', 'b', text.replaceAll('aa', uuid));
  t.deepEqual(
    transactions.map(({ gtid }) => gtid),
    [`${uuid}:1`],
  );
});
