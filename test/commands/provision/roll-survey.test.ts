import test from 'ava';

import { serverViews, viewOf } from '../../../src/commands/provision/roll-survey.ts';
import type { Pool, PoolServer } from '../../../src/site/pool.ts';
import { describe, SETTINGS } from '../../failover/support/topology.ts';

const ANN = { by: 'ann@desk', since: 1000, reason: 'new disk' };

function pool(balancer: string, change: Partial<Pool> = {}): Pool {
  const server = (name: string, part: PoolServer['part']): PoolServer => ({
    name,
    part,
    isOut: false,
    passes: true,
    check: 'L7OK',
    current: 2,
  });
  return {
    balancer,
    servers: ['web1', 'web2'].flatMap((name) => [server(name, 'requests'), server(name, 'reads')]),
    drained: new Map(),
    ...change,
  };
}

test('a server is in service when every balancer sends it requests, and its requests are added up', (t) => {
  t.deepEqual(serverViews([pool('lb1'), pool('lb2')]), [
    { host: 'web1', trouble: undefined, drained: undefined, requests: 4 },
    { host: 'web2', trouble: undefined, drained: undefined, requests: 4 },
  ]);
});

test('what keeps one balancer from sending it requests is said', (t) => {
  const changed = (change: Partial<PoolServer>): Pool => ({
    ...pool('lb2'),
    servers: pool('lb2').servers.map((one) => (one.name === 'web2' ? { ...one, ...change } : one)),
  });
  const trouble = (second: Pool): string | undefined =>
    serverViews([pool('lb1'), second]).find(({ host }) => host === 'web2')?.trouble;
  t.is(trouble(changed({ passes: false, check: 'L7STS 503' })), 'lb2 finds L7STS 503');
  t.is(trouble(changed({ isOut: true })), 'lb2 has it out');
  t.is(trouble({ ...changed({ isOut: true }), drained: new Map([['web2', ANN]]) }), 'drained by ann@desk');
  t.is(trouble({ ...pool('lb2'), servers: pool('lb2').servers.slice(0, 2) }), 'lb2 does not know it');
});

const view = (...instances: readonly string[]): ReturnType<typeof viewOf> =>
  viewOf(describe({ instances }), SETTINGS);

test('a healthy cluster has one primary, and replicas that follow and acknowledge', (t) => {
  const { instances, trouble, acksRequired } = view('db1 primary 1:1-9', 'db2 <db1 1:1-9', 'db3 <db1 1:1-9');
  t.is(trouble, undefined);
  t.is(acksRequired, 1);
  t.deepEqual(
    instances.map(({ name, host, isPrimary, acknowledges }) => [name, host, isPrimary, acknowledges]),
    [
      ['db1', 'web1', true, false],
      ['db2', 'web2', false, true],
      ['db3', 'web3', false, true],
    ],
  );
  t.true(instances.every((one) => one.trouble === undefined));
});

test('a replica that does not follow, and an instance that is silent, are in trouble and acknowledge nothing', (t) => {
  const { instances } = view('db1 primary 1:1-9', 'db2 <db1~ 1:1-9', 'db3 dead=refused');
  t.deepEqual(
    instances.slice(1).map(({ trouble, acknowledges }) => [trouble, acknowledges]),
    [
      ['its receiver is connecting', false],
      ['refused', false],
    ],
  );
});

test('a cluster without a primary that takes writes, or with a change that was cut off, is in trouble', (t) => {
  t.regex(view('db1 1:1-9', 'db2 <db1 1:1-9').trouble ?? '', /takes no writes/);
  t.regex(view('db1 dead=timeout', 'db2 <db1~ 1:1-9').trouble ?? '', /db1 is dead/);
  t.regex(view('db1 primary 1:1-9', 'db2 primary 1:1-9').trouble ?? '', /may all be the primary/);
  const cutOff = describe({
    instances: ['db1 primary 1:1-9', 'db2 <db1 1:1-9'],
    memory: { unfinished: { kind: 'switchover', from: 'db1', to: 'db2', epoch: 2, at: 0 } as never },
  });
  t.regex(viewOf(cutOff, SETTINGS).trouble ?? '', /is not finished/);
  t.is(viewOf(cutOff, SETTINGS, 'etcd does not answer').trouble, 'etcd does not answer');
});
