import test from 'ava';

import { findInstance, parseDuration } from '../../../src/commands/failover/options.ts';
import { parsePreparedEnd } from '../../../src/commands/failover/promote.ts';
import { run } from '../../../src/lib/process.ts';
import { fakeCluster } from '../../failover/support/fake-ports.ts';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../src/bin/failover.ts', import.meta.url));
const failover = (...args: readonly string[]): ReturnType<typeof run> =>
  run([process.execPath, program, ...args], { timeoutMs: 60_000 });

test('an instance is found by its own name, and by that of its host', (t) => {
  const { cluster } = fakeCluster();
  t.is(findInstance(cluster, 'db2').name, 'db2');
  t.is(findInstance(cluster, 'web2').name, 'db2');
});

test('a mistyped name is answered with the near ones', (t) => {
  const { cluster } = fakeCluster();
  t.throws(() => findInstance(cluster, 'bd2'), { message: /did you mean "db2"/ });
  t.throws(() => findInstance(cluster, 'postgres'), { message: /it has db1 \(on web1\), db2/ });
});

for (const [text, ms] of [
  ['500ms', 500],
  ['3s', 3000],
  ['90', 90_000],
  ['15m', 900_000],
  ['1.5h', 5_400_000],
  ['1d', 86_400_000],
] as const) {
  test(`${text} is ${ms} ms`, (t) => t.is(parseDuration(text), ms));
}

for (const text of ['', 'soon', '0s', '-1s', '5 weeks']) {
  test(`"${text}" is no time`, (t) => void t.throws(() => parseDuration(text)));
}

test('an inventory that is not there is a mistake of the user', async (t) => {
  const ended = await failover('status', '-i', '/nonexistent/hosts.yml');
  t.is(ended.status, 1);
  t.regex(ended.stderr, /^error: there is no inventory/);
});

test('a file of a cluster that is not there is one, too', async (t) => {
  const ended = await failover('status', '--cluster', '/nonexistent/cluster.json');
  t.is(ended.status, 1);
  t.regex(ended.stderr, /^error: cannot read \/nonexistent\/cluster.json/);
});

test('--clone and --inject-empty exclude each other', async (t) => {
  const ended = await failover('rejoin', 'db1', '--clone', '--inject-empty');
  t.is(ended.status, 1);
  t.regex(ended.stderr, /exclude each other/);
});

test('a prepared transaction is named with how it ends', (t) => {
  t.deepEqual(parsePreparedEnd('order-17=rollback'), [{ xid: 'order-17', how: 'rollback' }]);
  t.deepEqual(parsePreparedEnd("'a=b','c',7=commit", [{ xid: 'x', how: 'rollback' }]), [
    { xid: 'x', how: 'rollback' },
    { xid: "'a=b','c',7", how: 'commit' },
  ]);
  for (const wrong of ['order-17', '=rollback', 'order-17=forget', ''])
    t.throws(() => parsePreparedEnd(wrong), { message: /XID=rollback or XID=commit/ }, wrong);
});
