import test from 'ava';

import { parseCluster } from '../../../src/failover/cluster/cluster-schema.ts';
import { defaultSettings } from '../../../src/failover/cluster/settings.ts';
import { UserError } from '../../../src/lib/errors.ts';

const account = { user: 'failover', password: 'a long secret' };
const minimal = {
  name: 'servers',
  flavour: 'mysql',
  instances: [{ name: 'db1', host: 'web1', address: '10.0.0.1' }],
  accounts: { failover: account, replication: account, backup: account },
  tls: {},
};

test('what is left out has the defaults of the settings', (t) => {
  const cluster = parseCluster(JSON.stringify(minimal), 'cluster.json');
  t.deepEqual(cluster.settings, defaultSettings());
  t.like(cluster.instances[0], { port: 3306, rule: 'neutral', dataCentre: '' });
  t.like(cluster, { production: false, etcd: [], balancers: [] });
});

test('passwords are secrets from the start', (t) => {
  const cluster = parseCluster(JSON.stringify(minimal), 'cluster.json');
  t.is(cluster.accounts.failover.password.reveal(), 'a long secret');
  t.false(JSON.stringify(cluster).includes('a long secret'));
});

test('all that is wrong is said at once, with the file', (t) => {
  const wrong = {
    ...minimal,
    flavour: 'postgres',
    instances: [...minimal.instances, { name: 'db1', host: 'web2', address: '10.0.0.2', rule: 'best' }],
    settings: { pollMs: 1, hooks: { nonsense: '/x' } },
    unknown: 1,
  };
  const error = t.throws(() => parseCluster(JSON.stringify(wrong), 'cluster.json'), {
    instanceOf: UserError,
  });
  const text = error?.message ?? '';
  for (const part of ['flavour', 'instances.1.rule', 'settings.pollMs', 'nonsense', 'unknown']) {
    t.true(text.includes(part), `${part} in:\n${text}`);
  }
  t.true(error?.problems.every((problem) => problem.message.startsWith('cluster.json: ')));
});

test('two instances of one name are an error', (t) => {
  const twice = { ...minimal, instances: [...minimal.instances, { ...minimal.instances[0], host: 'web2' }] };
  t.throws(() => parseCluster(JSON.stringify(twice), 'cluster.json'), {
    message: /two instances have the name "db1"/,
  });
});

test('what is no JSON is an error of the user, without the text that may hold passwords', (t) => {
  const error = t.throws(() => parseCluster('{"password": hunter2}', 'cluster.json'), {
    instanceOf: UserError,
    message: /cluster.json is not JSON/,
  });
  t.notRegex(error.message, /hunter/);
});
