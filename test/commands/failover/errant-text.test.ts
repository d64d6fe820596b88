import test from 'ava';

import { describeErrant } from '../../../src/commands/failover/errant-text.ts';
import { parseGtids } from '../../../src/database/gtid.ts';
import type { LoggedTransaction } from '../../../src/database/server.ts';

const UUID = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const found = (many: number): readonly LoggedTransaction[] =>
  Array.from({ length: many }, (_, index) => ({
    gtid: `${UUID}:${index + 1}`,
    log: 'binlog.000001',
    position: 4,
    changes: [],
    statements: [],
  }));
const last = (total: number, many: number): string | undefined =>
  describeErrant({
    instance: 'db1',
    primary: 'db2',
    gtids: parseGtids('mysql', `${UUID}:1-${total}`),
    transactions: found(many),
  })
    .split('\n')
    .at(-1);

test('transactions that were not found are in no binary log any more', (t) => {
  t.is(last(7, 5), '  2 of them are no longer in its binary logs');
  t.is(last(6, 5), '  1 of them is no longer in its binary logs');
});

test('transactions beyond the limit were not looked at, and nothing is said of where they are', (t) => {
  t.is(
    last(5000, 1000),
    '  4000 of them were not looked at: reading stopped when 1000 were found, the newest',
  );
});
