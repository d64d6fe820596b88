import test from 'ava';

import { observe } from '../../../src/failover/reach/observe.ts';
import { UserError } from '../../../src/lib/errors.ts';
import { ServerFailure } from '../../../src/database/failure.ts';
import { fakeCluster } from '../support/fake-ports.ts';

const never = (): Promise<never> => new Promise(() => {});
const replicaOf = (address: string, receiver: 'on' | 'connecting') => () =>
  Promise.resolve({ replication: { sourceHost: address, sourcePort: 3306, receiver } });
const quick = { connectTimeoutMs: 300, queryTimeoutMs: 300 };

test('an instance that hangs is silent after its limit, and holds nobody else up', async (t) => {
  const fake = fakeCluster({ 'db1.readState': never });
  const cluster = { ...fake.cluster, settings: { ...fake.cluster.settings, ...quick } };
  const topology = await observe(cluster, fake.ports);
  const [db1, db2] = topology.instances;
  t.is(db1?.kind, 'silent');
  t.like(db1?.kind === 'silent' && db1.silence, { kind: 'timeout', alive: false });
  t.is(db2?.kind, 'answering');
  t.true((db2?.ms ?? Infinity) < (db1?.ms ?? 0));
});

test('a silent source that no replica hears is not waited for to the end', async (t) => {
  const fake = fakeCluster({
    'db1.readState': never,
    'db2.readState': replicaOf('10.0.0.1', 'connecting'),
    'db3.readState': replicaOf('10.0.0.1', 'connecting'),
  });
  const patient = { connectTimeoutMs: 60_000, queryTimeoutMs: 60_000 };
  const cluster = { ...fake.cluster, settings: { ...fake.cluster.settings, ...patient } };
  const topology = await observe(cluster, fake.ports);
  t.is(topology.instances[0]?.kind, 'silent');
});

/** Who follows db1 cannot connect to it. */
const seekers = {
  'db2.readState': replicaOf('10.0.0.1', 'connecting'),
  'db3.readState': replicaOf('10.0.0.1', 'connecting'),
} as const;

/** Answers after some time, unless nobody waits any more. */
const after = (ms: number) => () =>
  new Promise((resolve) => setTimeout(() => resolve({ replication: undefined }), ms));

test('who seeks a silent source is told before that one is given up', async (t) => {
  const sought: (readonly string[])[] = [];
  const fake = fakeCluster({
    ...seekers,
    'db1.readState': () => new Promise((resolve) => (answer = () => resolve({ replication: undefined }))),
  });
  let answer = (): void => t.fail('the primary was not asked');
  const { instances } = await observe(fake.cluster, fake.ports, {
    onSought: (names) => {
      sought.push(names);
      answer();
    },
  });
  t.deepEqual(sought, [['db2', 'db3']]);
  t.is(instances[0]?.kind, 'answering');
});

test('while an earlier look waits for a source, a later one does not give it up', async (t) => {
  const fake = fakeCluster({ ...seekers, 'db1.readState': after(600) });
  const { instances } = await observe(fake.cluster, fake.ports, { patience: new Promise(() => {}) });
  t.is(instances[0]?.kind, 'answering');
});

test('when an earlier look has given a source up, a later one does, after the time that it is given', async (t) => {
  const fake = fakeCluster({ ...seekers, 'db1.readState': after(600) });
  const judged = new Promise<ReadonlyMap<string, number>>((resolve) =>
    setTimeout(() => resolve(new Map([['db1', 50]])), 100),
  );
  t.is((await observe(fake.cluster, fake.ports, { patience: judged })).instances[0]?.kind, 'silent');
});

test('when an earlier look has heard the source, a later one judges by itself', async (t) => {
  const fake = fakeCluster({ ...seekers, 'db1.readState': never });
  const { instances } = await observe(fake.cluster, fake.ports, { patience: Promise.resolve(new Map()) });
  t.is(instances[0]?.kind, 'silent');
});

test('one that a replica hears is waited for', async (t) => {
  let answer = (): void => {};
  const fake = fakeCluster({
    'db1.readState': () => new Promise((resolve) => (answer = () => resolve({ replication: undefined }))),
    'db2.readState': replicaOf('10.0.0.1', 'connecting'),
    'db3.readState': replicaOf('10.0.0.1', 'on'),
  });
  const patient = { connectTimeoutMs: 60_000, queryTimeoutMs: 60_000 };
  const cluster = { ...fake.cluster, settings: { ...fake.cluster.settings, ...patient } };
  const observing = observe(cluster, fake.ports);
  // Longer than a witnessed death would be waited for.
  setTimeout(() => answer(), 800);
  t.is((await observing).instances[0]?.kind, 'answering');
});

test('why an instance did not answer is what its handle says', async (t) => {
  const silence = {
    kind: 'too-many-connections',
    alive: true,
    message: '1040 Too many connections',
  } as const;
  const fake = fakeCluster({
    'db1.readState': () => Promise.reject(new ServerFailure('db1', 'reading', silence)),
  });
  const [db1] = (await observe(fake.cluster, fake.ports)).instances;
  t.deepEqual(db1?.kind === 'silent' && db1.silence, silence);
});

test('a balancer that fails is shown as such', async (t) => {
  const fake = fakeCluster({
    'lb1.writers': () => Promise.reject(new UserError('lb1: no answer')),
    'lb2.writers': () => Promise.resolve(['web1']),
  });
  const { balancers } = await observe(fake.cluster, fake.ports);
  t.like(balancers[0], { name: 'lb1', reachable: false, message: 'lb1: no answer' });
  t.like(balancers[1], { name: 'lb2', reachable: true, writers: ['web1'] });
});

test('a rule that was set at run time beats the inventory', async (t) => {
  const fake = fakeCluster();
  const topology = await observe(fake.cluster, fake.ports, {
    memory: { ...fake.memory(), rules: { db3: 'must_not' } },
  });
  t.deepEqual(
    topology.instances.map(({ spec }) => spec.rule),
    ['neutral', 'neutral', 'must_not'],
  );
});
