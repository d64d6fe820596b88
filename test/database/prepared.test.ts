import test from 'ava';

import { locksOf } from '../../src/database/locks.ts';
import { preparedTransactions, xidOf } from '../../src/database/prepared.ts';
import { ServerFailure } from '../../src/database/failure.ts';
import type { Row, Session } from '../../src/database/session.ts';

const limits = { timeoutMs: 1000 };
const answering = (rows: readonly Row[]): Session =>
  ({ rows: () => Promise.resolve(rows) }) as unknown as Session;
const refusing = (errno: number): Session =>
  ({
    rows: () =>
      Promise.reject(new ServerFailure('db1', 'x', { kind: 'error', alive: true, message: 'no' }, { errno })),
  }) as unknown as Session;

test('the name of a prepared transaction is what XA COMMIT takes', (t) => {
  // As MySQL 9.7 says them.
  const cases: readonly (readonly [number, number, number, string, string])[] = [
    [1, 1, 0, '0x71', "'q'"],
    [1, 1, 1, '0x7162', "'q','b'"],
    [7, 2, 1, '0x00FF78', "X'00FF','x',7"],
    [7, 1, 0, '0x71', "'q','',7"],
    [1, 3, 0, '0x612762', "X'612762'"],
  ];
  for (const [formatID, gtrid_length, bqual_length, data, expected] of cases)
    t.is(xidOf({ formatID, gtrid_length, bqual_length, data }), expected);
});

test('only old transactions without a thread are asked for by name, and only prepared ones count', async (t) => {
  const rows = [{ formatID: 1, gtrid_length: 1, bqual_length: 0, data: '0x71' }];
  const ask = (session: Session, count: number, seconds: number) =>
    preparedTransactions(session, 'mysql', { count, seconds }, 5, limits);
  t.deepEqual(await ask(answering(rows), 1, 9), { seconds: 9, names: ["'q'"] });
  t.is(await ask(refusing(1), 1, 4), undefined);
  t.is(await ask(refusing(1), 0, 0), undefined);
  t.is(await ask(answering([]), 1, 9), undefined);
  t.deepEqual(await ask(refusing(1401), 1, 9), { seconds: 9, names: undefined });
  await t.throwsAsync(ask(refusing(1064), 1, 9), { instanceOf: ServerFailure });
});

test('MariaDB says the names of prepared transactions as it takes them', async (t) => {
  const found = await preparedTransactions(
    answering([{ data: "X'00ff',X'78',7" }]),
    'mariadb',
    { count: 1, seconds: 6 },
    5,
    limits,
  );
  t.deepEqual(found, { seconds: 6, names: ["X'00ff',X'78',7"] });
});

test('a backup lock is no lock that an applier or read-only waits for', (t) => {
  const row = (id: number, holds: number): Row => ({
    id,
    user: 'u',
    host: 'h',
    seconds: 3,
    state: '',
    statement: 'LOCK',
    holds,
  });
  const { lockHolders, backupLocks } = locksOf([row(1, 1), row(2, 2), row(3, 3), row(4, 4), row(5, 5)]);
  t.deepEqual(
    lockHolders.map(({ id, holds }) => [id, holds]),
    [
      [1, 'everything'],
      [2, 'tables-for-writing'],
      [3, 'tables'],
      [4, 'awaited'],
    ],
  );
  t.deepEqual(
    backupLocks.map(({ id }) => id),
    [5],
  );
});
