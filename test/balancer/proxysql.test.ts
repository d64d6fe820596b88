import test, { type ExecutionContext } from 'ava';

import type { Balancer } from '../../src/balancer/balancer.ts';
import { proxysqlBalancer } from '../../src/balancer/proxysql.ts';
import { Secret } from '../../src/lib/secret.ts';
import { type FakeProxysql, fakeProxysql } from './support/proxysql.ts';
import { TARGETS } from './support/worlds.ts';

/* What only a ProxySQL has. The fake on the far side is made from its documentation. */

async function opened(
  t: ExecutionContext,
  sql: string,
  user = 'radmin',
): Promise<{ readonly balancer: Balancer; readonly far: FakeProxysql }> {
  const far = await fakeProxysql('radmin');
  t.teardown(() => far.close());
  far.configure(sql);
  const balancer = proxysqlBalancer({
    name: 'proxysql1',
    open: far.open,
    user,
    password: new Secret('the password of radmin'),
    writerHostgroup: 10,
    targets: TARGETS,
    timeoutMs: 30_000,
  });
  return { balancer, far };
}

const rows = ({ database }: FakeProxysql, table: string): readonly string[] =>
  database
    .prepare(`SELECT hostgroup_id, hostname, status FROM ${table} ORDER BY 1, 2`)
    .all()
    .map((row) => Object.values(row).join(' '));

const PRIMARY = `INSERT INTO mysql_servers (hostgroup_id, hostname, status) VALUES (10, '10.0.0.1', 'ONLINE');`;
const READERS = `INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (20, '10.0.0.1'), (20, '10.0.0.2');`;
const MONITOR = `INSERT INTO mysql_replication_hostgroups (writer_hostgroup, reader_hostgroup) VALUES (10, 20);`;

test('a switchover is refused while ProxySQL’s own monitor moves servers, which would bring an old primary back', async (t) => {
  const { balancer } = await opened(t, PRIMARY + READERS + MONITOR);
  const error = await t.throwsAsync(balancer.expect('web2'));
  t.regex(error?.message ?? '', /read_only monitor/);
  t.regex(error?.message ?? '', /DELETE FROM mysql_replication_hostgroups WHERE writer_hostgroup = 10/);
});

test('with that monitor at work, a failover takes the old primary out of the readers, too', async (t) => {
  const { balancer, far } = await opened(t, PRIMARY + READERS + MONITOR);
  await balancer.endWriters?.('web1');
  t.deepEqual(rows(far, 'mysql_servers'), [
    '10 10.0.0.1 OFFLINE_HARD',
    '20 10.0.0.1 OFFLINE_HARD',
    '20 10.0.0.2 ONLINE',
  ]);
});

test('readers are left alone without it', async (t) => {
  const { balancer, far } = await opened(t, PRIMARY + READERS);
  await balancer.endWriters?.('web1');
  await balancer.pointWriters('web2');
  t.deepEqual(rows(far, 'mysql_servers'), [
    '10 10.0.0.1 OFFLINE_HARD',
    '10 10.0.0.2 ONLINE',
    '20 10.0.0.1 ONLINE',
    '20 10.0.0.2 ONLINE',
  ]);
});

test('a server that ProxySQL has forgotten is added to the writers', async (t) => {
  const { balancer, far } = await opened(t, PRIMARY);
  await balancer.pointWriters('web3');
  t.deepEqual(rows(far, 'runtime_mysql_servers'), ['10 10.0.0.3 ONLINE']);
});

test('a ProxySQL that restarts finds the same on its disk', async (t) => {
  const { balancer, far } = await opened(t, PRIMARY);
  await balancer.pointWriters('web2');
  t.deepEqual(rows(far, 'disk_mysql_servers'), rows(far, 'mysql_servers'));
});

test('a server that is shunned counts as a writer, since ProxySQL takes it back by itself', async (t) => {
  const { balancer } = await opened(
    t,
    `${PRIMARY} INSERT INTO mysql_servers (hostgroup_id, hostname, status) VALUES (10, '10.0.0.2', 'SHUNNED')`,
  );
  t.deepEqual(await balancer.writers(), ['web1', 'web2']);
});

test('a hostgroup without servers is not that of the writers', async (t) => {
  const { balancer } = await opened(t, READERS);
  await t.throwsAsync(balancer.expect('web2'), { message: /no servers in the hostgroup 10/ });
});

test('a login that is refused says so, without the password', async (t) => {
  const { balancer } = await opened(t, PRIMARY, 'somebody');
  const error = await t.throwsAsync(balancer.writers());
  t.regex(error?.message ?? '', /^proxysql1: .*Access denied for user 'somebody'/);
  t.notRegex(error?.message ?? '', /the password/);
});
