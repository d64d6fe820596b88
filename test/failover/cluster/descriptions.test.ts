import test, { type ExecutionContext } from 'ava';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { descriptionsAt } from '../../../src/failover/cluster/descriptions.ts';

const described = (name: string): string =>
  JSON.stringify({
    name,
    flavour: 'mysql',
    instances: [{ name: 'db1', host: 'web1', address: '10.0.0.21' }],
    accounts: Object.fromEntries(
      ['failover', 'replication', 'backup'].map((user) => [user, { user, password: 'secret' }]),
    ),
    tls: {},
  });

function directory(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'understudy-descriptions-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

test('a file describes one cluster, a directory those of its files', (t) => {
  const path = directory(t, {
    'shop.json': described('shop'),
    'orders.json': described('orders'),
    'orders.json.old': 'not read',
  });
  t.deepEqual(
    descriptionsAt(path).map(({ name, read }) => [name, read().name]),
    [
      ['orders', 'orders'],
      ['shop', 'shop'],
    ],
  );
  t.deepEqual(
    descriptionsAt(join(path, 'shop.json')).map(({ name }) => name),
    ['shop'],
  );
});

test('one that cannot be read is known by its file, and says so only when it is read', (t) => {
  const path = directory(t, { 'orders.json': '{', 'shop.json': described('shop') });
  const [orders, shop] = descriptionsAt(path);
  t.is(orders?.name, 'orders');
  t.deepEqual(orders?.instances, []);
  t.throws(() => orders?.read(), { message: /orders\.json is not JSON/ });
  t.is(shop?.read().name, 'shop');
  writeFileSync(join(path, 'orders.json'), described('orders'));
  t.is(orders?.read().name, 'orders', 'somebody has put it right');
});

test('a cluster is described once', (t) => {
  const path = directory(t, { 'a.json': described('shop'), 'b.json': described('shop') });
  const [first, second] = descriptionsAt(path);
  t.is(first?.read().name, 'shop');
  t.is(second?.name, 'b');
  t.throws(() => second?.read(), { message: /b\.json describes the cluster "shop", and so does .*a\.json/ });
});

test('a directory without descriptions says who writes them', (t) => {
  t.throws(() => descriptionsAt(directory(t, {})), { message: /describes no cluster.*\n.*failover_watch/ });
});
