import test from 'ava';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { inventoryCluster, inventoryClusters } from '../../../src/commands/failover/cluster.ts';
import { UserError } from '../../../src/lib/errors.ts';

const playbook = fileURLToPath(new URL('../../../playbooks/site.yml', import.meta.url));
const PASSWORDS = ['mysql_failover', 'mysql_replication', 'mysql_backup', 'etcd_failover'];

const HOSTS = `all:
  children:
    balancers:
      hosts:
        lb1: { ansible_host: 10.1.0.11, back_address: 10.2.0.11 }
        lb2: { ansible_host: 10.1.0.12, back_address: 10.2.0.12 }
    servers:
      hosts:
        web1: { ansible_host: 10.2.0.21, back_address: 10.2.0.21, mysql_instance: db1 }
        web2:
          ansible_host: 10.2.0.22
          back_address: 10.2.0.22
          mysql_instance: db2
        web3: { ansible_host: 10.2.0.23, back_address: 10.2.0.23, mysql_instance: db3 }
`;

interface Site {
  readonly inventory: string;
  readonly directory: string;
}

/** An inventory as `provision up` leaves it. */
function site(t: { teardown(work: () => void): void }, hosts = HOSTS, provisioned = true): Site {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-cluster-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'hosts.yml'), hosts);
  if (provisioned) {
    mkdirSync(join(directory, 'secrets/mysql-tls'), { recursive: true });
    for (const name of PASSWORDS)
      writeFileSync(join(directory, `secrets/${name}_password`), `${name} secret\n`);
    writeFileSync(join(directory, 'secrets/mysql-tls/ca.pem'), 'a certificate');
  }
  return { inventory: join(directory, 'hosts.yml'), directory };
}

test('a cluster is what the inventory and the playbook say', (t) => {
  const { inventory, directory } = site(t);
  const { cluster, addressOf } = inventoryCluster({ inventory, playbook });
  t.like(cluster, { name: 'servers', flavour: 'mariadb', production: false });
  t.deepEqual(cluster.instances[1], {
    name: 'db2',
    host: 'web2',
    address: '10.2.0.22',
    port: 3306,
    rule: 'neutral',
    dataCentre: '',
  });
  t.deepEqual(
    cluster.balancers.map(({ name, address, apiPort }) => [name, address, apiPort]),
    [
      ['lb1', '10.2.0.11', 9999],
      ['lb2', '10.2.0.12', 9999],
    ],
  );
  t.is(cluster.accounts.failover.user, 'failover');
  t.is(cluster.accounts.failover.password.reveal(), 'mysql_failover secret');
  t.is(cluster.tls.ca, join(directory, 'secrets/mysql-tls/ca.pem'));
  t.is(addressOf('lb1')?.address, '10.1.0.11');
  t.is(addressOf('nobody'), undefined);
});

test('variables of the inventory set the rules and the settings', (t) => {
  const { inventory } = site(
    t,
    HOSTS.replace(
      'mysql_instance: db3',
      'mysql_instance: db3, mysql_promotion_rule: must_not, mysql_data_centre: north',
    ) +
      `  vars:\n    understudy_production: true\n    failover_poll_ms: 100\n    failover_hooks: { stonith: /usr/local/bin/off }\n`,
  );
  const { cluster } = inventoryCluster({ inventory, playbook });
  t.true(cluster.production);
  t.like(cluster.instances[2], { rule: 'must_not', dataCentre: 'north' });
  t.is(cluster.settings.pollMs, 100);
  t.deepEqual(cluster.settings.hooks, { stonith: '/usr/local/bin/off' });
});

test('all that is wrong is said at once, each with its place', (t) => {
  const { inventory } = site(
    t,
    HOSTS.replace(
      '          mysql_instance: db2',
      '          mysql_instance: db1\n          mysql_promotion_rule: best',
    ) + `  vars:\n    failover_poll_ms: 1\n`,
  );
  const error = t.throws(() => inventoryCluster({ inventory, playbook }), { instanceOf: UserError });
  const problems = error?.problems ?? [];
  t.is(problems.length, 3);
  const line = (part: string): number | undefined =>
    problems.find((problem) => problem.message.includes(part))?.location?.line;
  t.is(line('best'), 14);
  t.is(line('db1'), 13);
  t.is(line('failover_poll_ms'), 17);
});

test('before the site is provisioned there are no passwords, and none are made', (t) => {
  const { inventory, directory } = site(t, HOSTS, false);
  const error = t.throws(() => inventoryCluster({ inventory, playbook }), { instanceOf: UserError });
  t.regex(error?.message ?? '', /provision up/);
  t.deepEqual(readdirSync(directory), ['hosts.yml']);
});

test('an inventory without the group says so', (t) => {
  const { inventory } = site(t, HOSTS.replace('servers:', 'machines:'));
  t.throws(() => inventoryCluster({ inventory, playbook }), { message: /no hosts in the group "servers"/ });
});

const TWO = HOSTS.replace(
  '    servers:\n',
  `    orders_db:
      vars: { mysql_group: orders_db, failover_cluster: orders, mysql_listener: { name: orders, writer: 3316, reader: 3317 } }
      hosts:
        sql1: { ansible_host: 10.2.0.31, back_address: 10.2.0.31, mysql_instance: db1 }
        sql2: { ansible_host: 10.2.0.32, back_address: 10.2.0.32, mysql_instance: db7 }
    servers:
`,
);

test('each group that its own hosts name is a cluster', (t) => {
  const { inventory } = site(t, TWO);
  const clusters = inventoryClusters({ inventory, playbook });
  t.deepEqual(clusters.map(({ name }) => name).sort(), ['orders', 'servers']);
  const orders = inventoryCluster({ inventory, playbook, cluster: 'orders' });
  t.false(orders.isOnly);
  t.deepEqual(
    orders.cluster.instances.map(({ name, host }) => `${name}@${host}`),
    ['db1@sql1', 'db7@sql2'],
  );
  t.is(inventoryCluster({ inventory, playbook, group: 'orders_db' }).cluster.name, 'orders');
  t.is(inventoryCluster({ inventory, playbook, instances: ['db7'] }).cluster.name, 'orders');
});

test('with several clusters, one must be chosen', (t) => {
  const { inventory } = site(t, TWO);
  t.throws(() => inventoryCluster({ inventory, playbook }), { message: /several clusters: .*orders/ });
  t.throws(() => inventoryCluster({ inventory, playbook, instances: ['db1'] }), {
    message: /"db1" is in .* and in /,
  });
});

test('what is wrong with one cluster is not in the way of another one', (t) => {
  const { inventory } = site(t, TWO.replace('mysql_instance: db7', 'mysql_instance: db7, mysql_port: many'));
  t.is(inventoryCluster({ inventory, playbook, cluster: 'servers' }).cluster.name, 'servers');
  t.throws(() => inventoryCluster({ inventory, playbook, cluster: 'orders' }), {
    message: /mysql_port: "many"/,
  });
});

test('two clusters have different names, and no server in common', (t) => {
  const { inventory } = site(t, TWO.replace('failover_cluster: orders', 'failover_cluster: servers'));
  t.throws(() => inventoryClusters({ inventory, playbook }), {
    message: /called "servers", and so is that of/,
  });
  const shared = site(
    t,
    TWO.replace('10.2.0.32, back_address: 10.2.0.32', '10.2.0.21, back_address: 10.2.0.21'),
  );
  t.throws(() => inventoryClusters({ inventory: shared.inventory, playbook }), {
    message: /10\.2\.0\.21:3306 is in the clusters/,
  });
});

test('two clusters share no writer of the balancers', (t) => {
  const right = site(t, TWO).inventory;
  const backends = ['orders', 'servers'].map(
    (cluster) => inventoryCluster({ inventory: right, playbook, cluster }).cluster.balancers[0]?.backend,
  );
  t.deepEqual(backends, ['orders_primary', 'mysql_primary']);
  const { inventory } = site(t, TWO.replace('{ name: orders, writer', '{ name: mysql, writer'));
  t.throws(() => inventoryClusters({ inventory, playbook }), {
    message: /the balancers have one writer for the clusters/,
  });
});

const ONE_MACHINE = HOSTS.replace(
  '        web2:\n',
  `        web1b: { ansible_host: 10.2.0.21, back_address: 10.2.0.21, mysql_instance: db9, mysql_port: 3307, mysql_unit: mariadb@db9.service }
        web2:
`,
);

test('two hosts of the inventory may be one machine, with a unit and a port for each instance', (t) => {
  const { cluster } = inventoryCluster({ inventory: site(t, ONE_MACHINE).inventory, playbook });
  t.like(cluster.instances[1], { name: 'db9', host: 'web1b', port: 3307, unit: 'mariadb@db9' });
  t.false('unit' in (cluster.instances[0] ?? {}));
});

for (const [what, from, to, message] of [
  [
    'one unit',
    ', mysql_unit: mariadb@db9.service',
    '',
    /web1b: mysql_unit: it is the flavour's own, as on web1/,
  ],
  [
    'one port, at two addresses',
    'mysql_port: 3307',
    'mysql_address: 10.2.0.121',
    /web1b: mysql_port: it is 3306, as on web1, which is the same machine/,
  ],
  [
    'a unit that is no server',
    'mariadb@db9.service',
    'ssh.service',
    /mysql_unit: "ssh": expected a unit of mysql/,
  ],
] as const) {
  test(`instances of one machine are refused with ${what}`, (t) => {
    const { inventory } = site(t, ONE_MACHINE.replace(from, to));
    t.throws(() => inventoryCluster({ inventory, playbook }), { message });
  });
}

test('a host in the group of a cluster names that cluster', (t) => {
  const { inventory } = site(
    t,
    TWO.replace('mysql_instance: db7', 'mysql_instance: db7, mysql_group: servers'),
  );
  t.throws(() => inventoryCluster({ inventory, playbook, cluster: 'orders' }), {
    message: /sql2: mysql_group: it is "servers", and the host is in the group of the cluster orders/,
  });
});

test('an address that moves cannot tell two instances of one machine apart', (t) => {
  const vip = new Map(Object.entries({ kind: 'vip', name: 'db', address: '10.2.0.9', interface: 'eth0' }));
  const extraVars = new Map([['failover_endpoints', [vip]]]);
  const { inventory } = site(t, ONE_MACHINE);
  t.throws(() => inventoryCluster({ inventory, playbook, extraVars }), {
    message: /failover_endpoints: .* are on one machine .* which a vip cannot tell apart/,
  });
});

const STORES: readonly (readonly [
  what: string,
  variables: string,
  expected: readonly (readonly [string, string])[],
])[] = [
  [
    'the servers, by default',
    'site_failover_store: etcd',
    [
      ['10.2.0.21:2379', 'web1'],
      ['10.2.0.22:2379', 'web2'],
      ['10.2.0.23:2379', 'web3'],
    ],
  ],
  [
    'hosts of any name, on addresses that nothing else says',
    'site_failover_store: etcd\netcd_addresses: { lb1: 10.9.0.1, box: 10.9.0.2 }',
    [
      ['10.9.0.1:2379', 'lb1'],
      ['10.9.0.2:2379', 'box'],
    ],
  ],
  [
    'a list, by any address or name that a host of the inventory has',
    'failover_etcd: [lb1:2379, "10.1.0.12:2379", "10.2.0.21:2379", "elsewhere:2379"]',
    [
      ['lb1:2379', 'lb1'],
      ['10.1.0.12:2379', 'lb2'],
      ['10.2.0.21:2379', 'web1'],
    ],
  ],
];

for (const [what, variables, expected] of STORES) {
  test(`the members of the store are on ${what}`, (t) => {
    const { inventory, directory } = site(t, `${HOSTS}    more: { hosts: { box: {} } }\n`);
    mkdirSync(join(directory, 'group_vars'));
    writeFileSync(join(directory, 'group_vars/all.yml'), `${variables}\n`);
    t.deepEqual([...inventoryCluster({ inventory, playbook }).storeHosts], expected);
  });
}
