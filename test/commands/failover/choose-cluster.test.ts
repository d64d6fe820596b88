import test from 'ava';

import {
  chosenCluster,
  chosenClusters,
  type ClusterWish,
  type NamedCluster,
} from '../../../src/commands/failover/choose-cluster.ts';

const named = (name: string, group: string, ...instances: readonly string[]): NamedCluster => ({
  name,
  group,
  instances: instances.map((each) => {
    const [instance = '', host = instance] = each.split('@');
    return { name: instance, host };
  }),
});
const SHOP = named('shop', 'shop_db', 'db1@web1', 'db2@web2');
const ORDERS = named('orders', 'orders_db', 'db1@sql1', 'db7@sql2', 'web1@sql3');
const BOTH = [SHOP, ORDERS];

const RIGHT: readonly (readonly [what: string, wish: ClusterWish, name: string])[] = [
  ['its name', { cluster: 'orders' }, 'orders'],
  ['the name of its group', { cluster: 'orders_db' }, 'orders'],
  ['its group', { group: 'shop_db' }, 'shop'],
  ['an instance that only it has', { instances: ['db7'] }, 'orders'],
  ['the host of such an instance', { instances: ['web2'] }, 'shop'],
  ['two instances that only it has both of', { instances: ['db1', 'db7'] }, 'orders'],
  ['its name, whatever else is said', { cluster: 'shop', instances: ['db7'] }, 'shop'],
];
for (const [what, wish, name] of RIGHT) {
  test(`a cluster is chosen by ${what}`, (t) => t.is(chosenCluster(BOTH, wish).name, name));
}

const WRONG: readonly (readonly [what: string, wish: ClusterWish, message: RegExp])[] = [
  [
    'nothing, when there are several',
    {},
    /there are several clusters: shop \(group shop_db\), orders \(group orders_db\)\n.*--cluster NAME/,
  ],
  ['an instance of two clusters', { instances: ['db1'] }, /"db1" is in shop and in orders\n.*--cluster/],
  [
    "one cluster's host that is another's instance",
    { instances: ['web1'] },
    /"web1" is in shop and in orders/,
  ],
  ['instances of two clusters', { instances: ['db2', 'db7'] }, /no cluster has both "db2" and "db7"/],
  ['nobody', { instances: ['bd7'] }, /no cluster has an instance "bd7"\n.*did you mean "db7"/],
  ['a name that is none', { cluster: 'order' }, /there is no cluster "order"\n.*did you mean "orders"/],
  ['a group that is none', { group: 'web' }, /there is no cluster of a group "web"/],
];
for (const [what, wish, message] of WRONG) {
  test(`no cluster is chosen by ${what}`, (t) => void t.throws(() => chosenCluster(BOTH, wish), { message }));
}

test('all are meant when nothing is said', (t) => t.deepEqual(chosenClusters(BOTH, {}), BOTH));

test('the only cluster is meant, whatever instance is named', (t) => {
  t.is(chosenCluster([SHOP], { instances: ['db9'] }), SHOP);
});
