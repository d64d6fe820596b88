import test from 'ava';

import { parseGtids } from '../../../src/database/gtid.ts';
import { EXIT, UserError } from '../../../src/lib/errors.ts';
import { execute } from '../../../src/failover/execute/execute.ts';
import type { ExecuteOptions, Outcome, StepEvent } from '../../../src/failover/execute/outcome.ts';
import type { Plan } from '../../../src/failover/plan/action.ts';
import { changes, type Fake, fakeCluster, planOf, wholeSwitchover } from '../support/fake-ports.ts';
import { describe, healthyState } from '../support/topology.ts';

const carryOut = (plan: Plan, fake: Fake, options: Partial<ExecuteOptions> = {}): Promise<Outcome> =>
  execute(plan, {
    cluster: fake.cluster,
    ports: fake.ports,
    lease: fake.lease,
    topology: fake.topology,
    who: 'tester',
    reason: 'a test',
    ...options,
  });

const failing = (message = 'it does not want to') =>
  Promise.reject(new UserError(message, { exitCode: EXIT.failed }));
const never = (): Promise<never> => new Promise(() => {});

test('a whole switchover is done in its order, and remembered', async (t) => {
  const fake = fakeCluster();
  const outcome = await carryOut(wholeSwitchover(), fake);
  t.like(outcome, {
    outcome: 'done',
    from: 'db1',
    to: 'db2',
    rejoined: ['db1'],
    left: [],
    message: undefined,
  });
  t.is(typeof outcome.unwritableMs, 'number');
  t.deepEqual(changes(fake.calls), [
    'lb1.hold',
    'lb2.hold',
    'db1.makeReadOnly',
    'db1.endClients',
    'db2.stopReplica',
    'db2.setSemiSyncSource',
    'db2.makeWritable',
    'lb1.pointWriters web2',
    'lb2.pointWriters web2',
    'db1.follow',
    'db3.follow',
    'db2.writeJournal',
    'db1.hasJournal',
    'db3.hasJournal',
    'db2.forgetSource',
  ]);
  t.like(fake.memory(), { primary: 'db2', epoch: 7, unfinished: undefined });
  t.like(fake.entries.at(-1), { outcome: 'done', who: 'tester', epoch: 7, from: 'db1', to: 'db2' });
  t.true(fake.entries.at(-1)?.steps.every((step) => step.status === 'done'));
});

test('what the new primary begins with is remembered, and no failure to ask for it is one of the change', async (t) => {
  const began = '00000000-0000-0000-0000-000000000001:1-7';
  const fake = fakeCluster({ 'db2.readState': async () => healthyState('mysql', 'db2', began) });
  await carryOut(wholeSwitchover(), fake);
  t.is(fake.memory().began, began);
  t.like(fake.memory().semiSync, { instance: 'db2', required: 1, endless: true });
  const silent = fakeCluster({ 'db2.readState': () => failing() });
  t.is((await carryOut(wholeSwitchover(), silent)).outcome, 'done');
  t.like(silent.memory(), { primary: 'db2', began: undefined });
});

test('the intent is in the journal and in the memory before the first step', async (t) => {
  const fake = fakeCluster();
  await carryOut(wholeSwitchover(), fake);
  t.deepEqual(fake.calls.slice(0, 3), ['confirm', 'write', 'remember']);
  t.is(fake.entries[0]?.outcome, 'running');
});

test('what a new primary began with stays known when a change that was cut off is gone on with', async (t) => {
  const began = '00000000-0000-0000-0000-000000000001:1-7';
  const fake = fakeCluster({ 'db2.makeWritable': () => failing() });
  const { id, from, to } = { id: 'x', from: 'db1', to: 'db2' };
  await fake.ports.coordination.remember((memory) => ({
    ...memory,
    unfinished: { id, kind: 'failover', from, to, began },
  }));
  await carryOut({ ...wholeSwitchover(), kind: 'failover' }, fake);
  t.like(fake.memory().unfinished, { from, to, began });
  await carryOut({ ...wholeSwitchover(), kind: 'failover', from: 'db3' }, fake);
  t.is(fake.memory().unfinished?.began, undefined);
});

test('an intent that cannot be written stops everything', async (t) => {
  const fake = fakeCluster({ write: () => failing('the disk is full') });
  await t.throwsAsync(carryOut(wholeSwitchover(), fake), { message: 'the disk is full' });
  t.deepEqual(changes(fake.calls), []);
});

test('the steps of a stage run side by side, and the next stage waits for all of them', async (t) => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const fake = fakeCluster({
    'db1.stopReceiver': () => gate,
    'db2.stopReceiver': async () => release(),
  });
  await carryOut(
    planOf(
      [
        { action: { do: 'stop-receiver', instance: 'db1' } },
        { action: { do: 'stop-receiver', instance: 'db2' } },
      ],
      [{ action: { do: 'start-receiver', instance: 'db1' } }],
    ),
    fake,
  );
  t.deepEqual(changes(fake.calls), ['db1.stopReceiver', 'db2.stopReceiver', 'db1.startReceiver']);
});

test('while writes stand still nothing is written to the journal', async (t) => {
  const fake = fakeCluster();
  await carryOut(wholeSwitchover(), fake);
  const from = fake.calls.indexOf('db1.makeReadOnly');
  const to = fake.calls.indexOf('db2.makeWritable');
  t.true(from > 0 && to > from);
  t.false(fake.calls.slice(from + 1, to).includes('write'));
});

// Every step before the point of no return, and what taking it back must look like.
const REVERSIBLE = [
  'db2.waitFor',
  'lb1.hold',
  'db1.makeReadOnly',
  'db1.endClients',
  'db2.stopReplica',
  'db2.setSemiSyncSource',
] as const;

for (const call of REVERSIBLE) {
  test(`a failure of ${call} takes back all that was begun, last first`, async (t) => {
    const fake = fakeCluster({
      [call]: () => failing(),
      // Both must fail for the step to fail.
      ...(call === 'lb1.hold' ? { 'lb2.hold': () => failing() } : {}),
    });
    const outcome = await carryOut(wholeSwitchover(), fake);
    t.is(outcome.outcome, 'undone');
    t.regex(outcome.message ?? '', /it does not want to/);
    t.false(fake.calls.includes('db2.makeWritable'));
    const done = changes(fake.calls);
    const undone = ['db2.startReplica', 'db1.makeWritable', 'lb1.release'].filter((one) =>
      done.includes(one),
    );
    const begun = [
      ['db2.stopReplica', 'db2.startReplica'],
      ['db1.makeReadOnly', 'db1.makeWritable'],
      ['lb1.hold', 'lb1.release'],
    ].flatMap(([did, back]) => (did !== undefined && back !== undefined && done.includes(did) ? [back] : []));
    t.deepEqual(undone, begun);
    t.deepEqual(
      undone,
      [...undone].sort((a, b) => done.indexOf(a) - done.indexOf(b)),
    );
    t.is(fake.memory().unfinished, undefined);
    t.is(fake.memory().primary, undefined);
    t.is(fake.entries.at(-1)?.outcome, 'undone');
  });
}

test('what cannot be taken back is named, and the change stays unfinished', async (t) => {
  const fake = fakeCluster({
    'db1.endClients': () => failing(),
    'db1.makeWritable': () => failing('db1 is gone'),
  });
  const outcome = await carryOut(wholeSwitchover(), fake);
  t.is(outcome.outcome, 'failed');
  t.true(outcome.left.some((sentence) => sentence.includes('db1 is gone')));
  // Everything else is taken back all the same, and what failed was tried again.
  t.true(fake.calls.includes('lb1.release'));
  t.is(fake.calls.filter((call) => call === 'db1.makeWritable').length, 3);
  t.is(fake.memory().unfinished?.to, 'db2');
});

test('the lease is confirmed right before what cannot be taken back', async (t) => {
  const fake = fakeCluster();
  await carryOut(wholeSwitchover(), fake);
  t.is(fake.calls[fake.calls.indexOf('db2.makeWritable') - 1], 'confirm');
});

test('with the lease lost nothing follows and nothing is taken back: somebody else may have taken over', async (t) => {
  const fake = fakeCluster({
    'db2.setSemiSyncSource': async () => fake.lease.lose(),
  });
  const outcome = await carryOut(wholeSwitchover(), fake);
  t.is(outcome.outcome, 'failed');
  t.false(fake.calls.some((call) => call.endsWith('.makeWritable')));
  const after = fake.calls.slice(fake.calls.indexOf('db2.setSemiSyncSource') + 1);
  t.deepEqual(
    after.filter((call) => !['write', 'confirm'].includes(call)),
    [],
  );
  t.is(fake.memory().unfinished?.to, 'db2');
  t.regex(outcome.message ?? '', /lease is lost.*somebody else/);
});

test('a lease that is lost after the point of no return ends the change, too', async (t) => {
  const fake = fakeCluster({
    'db2.makeWritable': async () => fake.lease.lose(),
  });
  const outcome = await carryOut(wholeSwitchover(), fake);
  t.is(outcome.outcome, 'failed');
  t.false(fake.calls.some((call) => /pointWriters|forgetSource|writeJournal/.test(call)));
  t.is(fake.memory().unfinished?.to, 'db2');
});

test('after the point of no return a failure is told, and the rest is done', async (t) => {
  const fake = fakeCluster({ 'db3.follow': () => failing('db3 has no room') });
  const outcome = await carryOut(wholeSwitchover(), fake);
  t.is(outcome.outcome, 'done');
  t.deepEqual(outcome.left, ['follow on db3: db3 has no room']);
  t.true(fake.calls.includes('db2.forgetSource'));
  t.is(fake.memory().primary, 'db2');
});

test('who could still acknowledge to an old primary that nothing has fenced is told', async (t) => {
  const failover: Plan = {
    ...planOf(
      [{ action: { do: 'fence', instance: 'db1' }, optional: true, beside: true }],
      [
        { action: { do: 'make-writable', instance: 'db2' }, irreversible: true },
        { action: { do: 'follow', instance: 'db3', source: 'db2', demoted: false }, beside: true },
      ],
    ),
    kind: 'failover',
  };
  const unmoved = { 'db3.follow': () => failing() };
  const told = /db3 still has db1 as its source, .*`failover relocate db3 db2`/;
  const silent = { 'db1.fence': () => failing(), 'db1.makeReadOnly': () => failing() };
  const open = await carryOut(failover, fakeCluster({ ...unmoved, ...silent }));
  t.is(open.outcome, 'done');
  t.regex(open.message ?? '', told);
  t.notRegex((await carryOut(failover, fakeCluster(unmoved))).message ?? '', told);
  // That the balancers' writers are ended stops no others.
  const ended: Plan = {
    ...failover,
    stages: [
      [
        {
          name: 'end-writers',
          action: { do: 'end-writers', instance: 'db1' },
          limitMs: 1000,
          optional: true,
        },
      ],
      ...failover.stages,
    ],
  };
  const outcome = await carryOut(ended, fakeCluster({ ...unmoved, ...silent }));
  t.true(outcome.fenced.some((way) => way.startsWith('writers on ')));
  t.regex(outcome.message ?? '', told);
});

test('an instance on which a step failed is left alone by the later ones', async (t) => {
  const fake = fakeCluster({ 'db3.follow': () => failing() });
  const plan = planOf(
    [{ action: { do: 'make-writable', instance: 'db2' }, irreversible: true }],
    [{ action: { do: 'follow', instance: 'db3', source: 'db2', demoted: false } }],
    [{ action: { do: 'semi-sync-replica', instance: 'db3', on: true } }],
  );
  const outcome = await carryOut(plan, fake);
  t.false(fake.calls.includes('db3.setSemiSyncReplica'));
  t.is(outcome.left.length, 2);
});

test('a new primary that does not become writable is tried again, and then nothing is built on it', async (t) => {
  const fake = fakeCluster({ 'db2.makeWritable': () => failing('no answer') });
  const outcome = await carryOut(wholeSwitchover(), fake);
  t.is(outcome.outcome, 'failed');
  t.is(fake.calls.filter((call) => call === 'db2.makeWritable').length, 3);
  t.false(fake.calls.includes('db1.follow'));
  t.false(fake.calls.includes('db1.makeWritable'));
  t.true(fake.calls.includes('lb1.release'));
  t.is(fake.memory().unfinished?.to, 'db2');
  t.true(outcome.left.includes('forget-source on db2: not tried'));
});

test('what ends something that was for the time being is done also when all is given up', async (t) => {
  const fake = fakeCluster({ 'db3.clone': () => failing('the donor went away') });
  const plan = planOf(
    [{ action: { do: 'semi-sync-source', instance: 'db2', on: false } }],
    [{ action: { do: 'clone', instance: 'db3', source: 'db2' }, irreversible: true }],
    [{ action: { do: 'follow', instance: 'db3', source: 'db2', demoted: false } }],
    [{ action: { do: 'semi-sync-source', instance: 'db2', on: true }, always: true }],
  );
  const outcome = await carryOut(plan, fake);
  t.is(outcome.outcome, 'failed');
  t.false(fake.calls.includes('db3.follow'));
  t.is(fake.calls.filter((call) => call === 'db2.setSemiSyncSource').length, 2);
  t.deepEqual(
    outcome.left.filter((line) => line.includes('not tried')),
    ['follow on db3: not tried'],
  );
});

test('what is optional may fail', async (t) => {
  const fake = fakeCluster({ 'db2.writeJournal': () => failing() });
  const outcome = await carryOut(wholeSwitchover(), fake);
  t.is(outcome.outcome, 'done');
  t.deepEqual(outcome.left, []);
  t.deepEqual(outcome.warnings, ['prove on db2: it does not want to']);
});

test('one balancer that fails is told of; both of them are a failure', async (t) => {
  const one = fakeCluster({ 'lb1.hold': () => failing('lb1 is tired') });
  const events: StepEvent[] = [];
  t.is((await carryOut(wholeSwitchover(), one, { report: (event) => events.push(event) })).outcome, 'done');
  t.is(
    events.find((event) => event.name === 'hold-writers' && event.status === 'done')?.message,
    'lb1 is tired',
  );
});

test('a balancer that was silent before is not waited for', async (t) => {
  const fake = fakeCluster({ 'lb2.hold': never });
  const outcome = await carryOut(wholeSwitchover(), fake, {
    topology: {
      ...fake.topology,
      balancers: fake.topology.balancers.map((view) => ({ ...view, reachable: view.name === 'lb1' })),
    },
  });
  t.is(outcome.outcome, 'done');
  t.false(fake.calls.some((call) => call.startsWith('lb2.')));
});

test('an interrupt before the point of no return takes everything back', async (t) => {
  const interrupt = new AbortController();
  const fake = fakeCluster({
    'db1.endClients': (signal) => {
      interrupt.abort();
      return new Promise((_resolve, reject) => {
        if (signal?.aborted) reject(new UserError('stopped'));
        signal?.addEventListener('abort', () => reject(new UserError('stopped')));
      });
    },
  });
  const outcome = await carryOut(wholeSwitchover(), fake, { signal: interrupt.signal });
  t.is(outcome.outcome, 'undone');
  t.true(fake.calls.includes('db1.makeWritable'));
  t.false(fake.calls.includes('db2.makeWritable'));
});

test('an interrupt after the point of no return comes too late: the change is finished', async (t) => {
  const interrupt = new AbortController();
  const fake = fakeCluster({ 'db2.makeWritable': async () => interrupt.abort() });
  const outcome = await carryOut(wholeSwitchover(), fake, { signal: interrupt.signal });
  t.is(outcome.outcome, 'done');
  t.true(fake.calls.includes('db2.forgetSource'));
});

test('a step that never ends is left behind at its limit', async (t) => {
  const fake = fakeCluster({ 'db1.stopReceiver': never });
  const startedAt = performance.now();
  const outcome = await carryOut(
    planOf([{ action: { do: 'stop-receiver', instance: 'db1' }, limitMs: 50 }]),
    fake,
  );
  t.is(outcome.outcome, 'undone');
  t.regex(outcome.message ?? '', /not done within 50 ms/);
  t.true(performance.now() - startedAt < 5000);
});

test('writes stand still for no longer than they may, however many steps share the time', async (t) => {
  const slow = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 40));
  const fake = fakeCluster({ 'db1.endClients': slow, 'db1.makeReadOnly': slow, 'db2.stopReplica': never });
  const outcome = await carryOut({ ...wholeSwitchover(), writesWithinMs: 4000 }, fake);
  t.is(outcome.outcome, 'undone');
  t.regex(outcome.message ?? '', /not done within \d+ ms/, 'the last step had what was left of the time');
  t.true(Number(/within (\d+) ms/.exec(outcome.message ?? '')?.[1]) < 4000);
  t.true(fake.calls.includes('db1.makeWritable'));
  t.false(fake.calls.includes('db2.makeWritable'));
});

test('a candidate that no balancer knows is noticed before anything is changed', async (t) => {
  const fake = fakeCluster({
    'lb1.expect web2': () => failing('no server'),
    'lb2.expect web2': () => failing(),
  });
  const plan = planOf(
    [{ action: { do: 'hold-writers', ms: 5000, for: 'db2' }, undo: [{ do: 'release-writers' }] }],
    [{ action: { do: 'make-read-only', instance: 'db1' } }],
  );
  const outcome = await carryOut(plan, fake);
  t.is(outcome.outcome, 'undone');
  t.deepEqual(changes(fake.calls), ['lb1.release', 'lb2.release']);
});

test('when the time is over between two steps, the next one does not begin', async (t) => {
  const slow = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));
  const fake = fakeCluster({ 'db1.makeReadOnly': slow });
  const outcome = await carryOut({ ...wholeSwitchover(), writesWithinMs: 30 }, fake);
  t.is(outcome.outcome, 'undone');
  t.regex(outcome.message ?? '', /writes have stood still for 30 ms/);
  t.false(fake.calls.includes('db1.endClients'));
});

test('writers are held again while a change takes longer than the balancers hold them', async (t) => {
  const held = (fake: Fake): number => fake.calls.filter((call) => call === 'lb1.hold').length;
  const fake: Fake = fakeCluster({
    'db1.makeReadOnly': async () => {
      while (held(fake) < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  });
  const plan = planOf(
    [{ action: { do: 'hold-writers', ms: 20 } }],
    [{ action: { do: 'make-read-only', instance: 'db1' } }],
    [{ action: { do: 'point-writers', instance: 'db2' } }],
  );
  t.is((await carryOut(plan, fake)).outcome, 'done');
  const before = held(fake);
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.is(held(fake), before, 'and not when it is over');
});

test('what runs beside holds nothing up, and is awaited at the end', async (t) => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const fake = fakeCluster({
    'db1.fence': () => gate,
    'db2.forgetSource': async () => release(),
  });
  const outcome = await carryOut(
    planOf(
      [{ action: { do: 'fence', instance: 'db1' }, beside: true, optional: true }],
      [{ action: { do: 'make-writable', instance: 'db2' }, irreversible: true }],
      [{ action: { do: 'forget-source', instance: 'db2' } }],
    ),
    fake,
  );
  t.is(outcome.outcome, 'done');
  t.deepEqual(outcome.fenced, ['mysqld on web1']);
});

test('what is done on one instance keeps its order, also beside', async (t) => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const fake = fakeCluster({
    'db1.setSemiSyncSource': () => gate,
    'lb1.pointWriters web2': async () => release(),
  });
  await carryOut(
    planOf(
      [{ action: { do: 'semi-sync-source', instance: 'db1', on: false }, beside: true }],
      [
        { action: { do: 'make-writable', instance: 'db2' }, irreversible: true },
        { action: { do: 'follow', instance: 'db1', source: 'db2', demoted: true }, beside: true },
      ],
      [{ action: { do: 'point-writers', instance: 'db2' } }],
    ),
    fake,
  );
  t.deepEqual(changes(fake.calls), [
    'db1.setSemiSyncSource',
    'db2.makeWritable',
    'lb1.pointWriters web2',
    'lb2.pointWriters web2',
    'db1.follow',
  ]);
});

test('what runs beside is ended when the rest is taken back', async (t) => {
  const fake = fakeCluster({
    'db1.fence': (signal) =>
      new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(new UserError('ended'))),
      ),
    'db2.stopReplica': () => failing(),
  });
  const outcome = await carryOut(
    planOf(
      [
        {
          action: { do: 'fence', instance: 'db1' },
          beside: true,
          limitMs: 60_000,
          undo: [{ do: 'unfence', instance: 'db1' }],
        },
      ],
      [{ action: { do: 'stop-replica', instance: 'db2' } }],
    ),
    fake,
  );
  t.is(outcome.outcome, 'undone');
  t.true(fake.calls.includes('db1.unfence'));
});

test('a hook that says no stops the change before it begins', async (t) => {
  const fake = fakeCluster({ 'hook.before-switchover': () => failing('not on Fridays') });
  const plan = wholeSwitchover();
  const outcome = await carryOut(
    {
      ...plan,
      stages: [
        [{ name: 'hook', action: { do: 'hook', hook: 'before-switchover' }, limitMs: 1000 }],
        ...plan.stages,
      ],
    },
    fake,
  );
  t.is(outcome.outcome, 'undone');
  t.is(outcome.message, 'not on Fridays');
  t.deepEqual(changes(fake.calls), ['hook.before-switchover']);
});

test('killed at any step, it leaves its intent behind', async (t) => {
  const all = fakeCluster();
  await carryOut(wholeSwitchover(), all);
  const steps = changes(all.calls);
  t.true(steps.length > 10);
  for (const [index, call] of steps.entries()) {
    // The call never comes back, as for a process that is gone.
    let reached = (): void => {};
    const killed = new Promise<void>((resolve) => (reached = resolve));
    let before = 0;
    const nth = steps.slice(0, index).filter((other) => other === call).length;
    const fake = fakeCluster({
      [call]: () => {
        if (before++ < nth) return Promise.resolve();
        reached();
        return never();
      },
    });
    void carryOut(wholeSwitchover(), fake).catch(() => {});
    await killed;
    t.is(fake.entries[0]?.outcome, 'running', call);
    t.like(fake.memory().unfinished, { kind: 'switchover', from: 'db1', to: 'db2' }, call);
    t.is(fake.memory().primary, undefined, call);
  }
});

test("the operator's STONITH is called once, and not for a server that is merely restarted", async (t) => {
  const fence = async (stonith: boolean): Promise<readonly string[]> => {
    const fake = fakeCluster();
    await carryOut(planOf([{ action: { do: 'fence', instance: 'db1', stonith } }]), fake);
    return changes(fake.calls);
  };
  t.deepEqual(await fence(true), ['db1.fence', 'hook.stonith']);
  t.deepEqual(await fence(false), ['db1.fence']);
});

test('who is fenced is remembered until the fence is taken away', async (t) => {
  const fake = fakeCluster();
  await carryOut(planOf([{ action: { do: 'fence', instance: 'db1' } }]), fake);
  t.deepEqual(fake.memory().fenced, ['db1']);
  const rejoin = {
    ...planOf([{ action: { do: 'unfence', instance: 'db1' } }]),
    kind: 'rejoin',
    to: 'db1',
  } as const;
  await carryOut(rejoin, fake);
  t.deepEqual(fake.memory().fenced, []);
});

test('a fenced server that somebody had stopped before stays known as fenced, and only a person starts it', async (t) => {
  const fake = fakeCluster({ 'db1.unfence': async () => ({ runs: false }) });
  const rejoin = {
    ...planOf([{ action: { do: 'unfence', instance: 'db1', asBefore: true } }]),
    kind: 'rejoin',
    to: 'db1',
  } as const;
  const topology = (): typeof fake.topology => ({ ...fake.topology, memory: fake.memory() });
  await carryOut(planOf([{ action: { do: 'fence', instance: 'db1' } }]), fake);
  await carryOut(rejoin, fake, { topology: topology() });
  t.deepEqual(fake.memory().fenced, ['db1']);
  t.deepEqual(fake.memory().stopped, ['db1']);
  const started = fakeCluster();
  await started.ports.coordination.remember(() => fake.memory());
  await carryOut(rejoin, started, { topology: topology() });
  t.deepEqual([started.memory().fenced, started.memory().stopped], [[], []]);
});

test('a server that was stopped, and was fenced only by a change that is taken back, may have acknowledged before', async (t) => {
  const fake = fakeCluster({
    'db1.unfence': async () => ({ runs: false }),
    'db2.makeWritable': () => failing(),
  });
  const outcome = await carryOut(
    planOf(
      [
        {
          action: { do: 'fence', instance: 'db1' },
          undo: [{ do: 'unfence', instance: 'db1', asBefore: true }],
        },
      ],
      [{ action: { do: 'stop-replica', instance: 'db2' } }],
      [{ action: { do: 'catch-up', instance: 'db2', with: 'db3' } }],
    ),
    { ...fake, ports: fake.ports },
    { signal: AbortSignal.abort() },
  );
  t.is(outcome.outcome, 'undone');
  t.deepEqual(fake.memory().fenced, []);
});

test('the connection of a receiver to a silent host is ended where the receiver is, and nobody waits for that', async (t) => {
  const fake = fakeCluster({ 'db3.endConnections 10.0.0.1': never });
  const outcome = await carryOut(
    planOf([
      { action: { do: 'stop-receiver', instance: 'db2' } },
      { action: { do: 'stop-receiver', instance: 'db3', seeks: 'db1' } },
    ]),
    fake,
  );
  t.is(outcome.outcome, 'done');
  t.deepEqual([...changes(fake.calls)].sort(), [
    'db2.stopReceiver',
    'db3.endConnections 10.0.0.1',
    'db3.stopReceiver',
  ]);
});

test('a replica that was started again in the middle stops the change before another one takes writes', async (t) => {
  const healthy = healthyState('mysql', 'db3', '');
  const change = async (startedAt: number): Promise<Outcome> =>
    await carryOut(
      planOf(
        [{ action: { do: 'confirm-stopped', instance: 'db3', startedAt: healthy.startedAt } }],
        [{ action: { do: 'make-writable', instance: 'db2' }, irreversible: true }],
      ),
      fakeCluster({ 'db3.readState': async () => ({ ...healthy, startedAt }) }),
    );
  t.is((await change(healthy.startedAt)).outcome, 'done');
  const restarted = await change(healthy.startedAt + 2000);
  t.is(restarted.outcome, 'undone');
  t.regex(restarted.message ?? '', /^db3 was started again, and may have acknowledged to the old primary/);
});

test('nobody waits for transactions that cannot come: what stands in the way is told', async (t) => {
  const state = describe({ instances: ['db1 primary 1:1-100', 'db2 <db1 silent=4200 1:1-90'] }).instances;
  const [db1, db2] = state.map((one) => (one.kind === 'answering' ? one.state : undefined));
  const fake = fakeCluster({
    'db1.executed': async () => db1?.executed,
    'db2.waitFor': async () => false,
    'db2.readState': async () => db2,
  });
  const outcome = await carryOut(
    planOf([{ action: { do: 'catch-up', instance: 'db2', with: 'db1' }, limitMs: 60_000 }]),
    fake,
  );
  t.is(
    outcome.message,
    'db2 does not get what db1 has committed: its receiver runs, and hears nothing of its source',
  );
});

test('who may be fenced when the tool is killed is remembered as fenced, and forgotten when it was not', async (t) => {
  const killed = fakeCluster({ 'db1.fence': never });
  void carryOut(planOf([{ action: { do: 'fence', instance: 'db1' } }]), killed).catch(() => {});
  while (!killed.calls.includes('db1.fence')) await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(killed.memory().fenced, ['db1']);

  const halfway = fakeCluster({ 'db1.fence': () => failing('mysqld does not end, and is masked') });
  await carryOut(planOf([{ action: { do: 'fence', instance: 'db1' }, optional: true }]), halfway);
  t.deepEqual(halfway.memory().fenced, ['db1']);

  const unreached = fakeCluster({
    'db1.fence': () =>
      Promise.reject(new UserError('web1 cannot be reached', { exitCode: EXIT.unreachable })),
  });
  await carryOut(planOf([{ action: { do: 'fence', instance: 'db1' }, optional: true }]), unreached);
  t.deepEqual(unreached.memory().fenced, []);
});

test('who follows again is not fenced any more', async (t) => {
  const fake = fakeCluster();
  await carryOut(planOf([{ action: { do: 'fence', instance: 'db1' } }]), fake);
  const follow = planOf([{ action: { do: 'follow', instance: 'db1', source: 'db2', demoted: false } }]);
  await carryOut({ ...follow, kind: 'rejoin', to: 'db1' }, fake, {
    topology: { ...fake.topology, memory: fake.memory() },
  });
  t.deepEqual(fake.memory().fenced, []);
});

test('where an operator has put a replica is remembered until it is moved again', async (t) => {
  const fake = fakeCluster();
  const topology = (): typeof fake.topology => ({ ...fake.topology, memory: fake.memory() });
  await carryOut(wholeSwitchover(), fake);
  const move = (source: string): Plan => ({
    ...planOf([{ action: { do: 'follow', instance: 'db3', source, demoted: false } }]),
    kind: 'relocate',
    to: 'db3',
  });
  await carryOut(move('db1'), fake, { topology: topology() });
  t.deepEqual(fake.memory().below, { db3: 'db1' });
  await carryOut(move('db2'), fake, { topology: topology() });
  t.deepEqual(fake.memory().below, {});
  await carryOut(move('db1'), fake, { topology: topology() });
  await carryOut({ ...move('db2'), kind: 'rejoin' }, fake, { topology: topology() });
  t.deepEqual(fake.memory().below, {});
});

test('an automatic failover waits for somebody to acknowledge it', async (t) => {
  const fake = fakeCluster();
  const { id } = await carryOut({ ...wholeSwitchover(), kind: 'failover' }, fake, { automatic: true });
  t.is(fake.memory().unacknowledged?.id, id);
});

test('what replaced no dead primary by itself needs no acknowledgement', async (t) => {
  const byOperator = fakeCluster();
  await carryOut({ ...wholeSwitchover(), kind: 'failover' }, byOperator);
  t.is(byOperator.memory().unacknowledged, undefined);
  const finished = fakeCluster();
  await carryOut(wholeSwitchover(), finished, { automatic: true });
  t.is(finished.memory().unacknowledged, undefined, 'the switchover of an operator, that the watch ended');
  const takenBack = fakeCluster();
  await takenBack.ports.coordination.remember((memory) => ({ ...memory, primary: 'db2' }));
  await carryOut({ ...wholeSwitchover(), kind: 'failover' }, takenBack, { automatic: true });
  t.is(takenBack.memory().unacknowledged, undefined, 'a failover that the watch took back');
});

/** A switchover before which db3 is moved: nothing else depends on it. */
function withBystander(): Plan {
  const own = { bystander: 'db3' } as const;
  return planOf(
    [
      {
        action: { do: 'stop-receiver', instance: 'db3' },
        undo: [{ do: 'start-receiver', instance: 'db3' }],
        ...own,
      },
    ],
    [{ action: { do: 'apply-backlog', instance: 'db3' }, ...own }],
    [{ action: { do: 'catch-up', instance: 'db2', with: 'db3' }, ...own }],
    [{ action: { do: 'follow', instance: 'db3', source: 'db2', demoted: false }, ...own }],
    [{ action: { do: 'make-read-only', instance: 'db1' }, undo: [{ do: 'make-writable', instance: 'db1' }] }],
    [{ action: { do: 'make-writable', instance: 'db2' }, irreversible: true }],
    [{ action: { do: 'prove', instance: 'db2', on: ['db1', 'db3'] }, optional: true }],
  );
}

for (const [what, behaviour, after] of [
  ['that cannot stop', { 'db3.stopReceiver': () => failing() }, ['db3.stopReceiver', 'db3.startReceiver']],
  ['that does not apply', { 'db3.readState': () => failing() }, ['db3.stopReceiver', 'db3.startReceiver']],
  [
    'that does not follow',
    { 'db3.follow': () => failing() },
    ['db3.stopReceiver', 'db3.follow', 'db3.startReceiver'],
  ],
] as const) {
  test(`a bystander ${what} is left behind with what it had, and the change goes on`, async (t) => {
    const fake = fakeCluster(behaviour);
    const outcome = await carryOut(withBystander(), fake);
    t.is(outcome.outcome, 'done');
    t.deepEqual(changes(fake.calls), [
      ...after,
      'db1.makeReadOnly',
      'db2.makeWritable',
      'db2.writeJournal',
      'db1.hasJournal',
    ]);
    t.is(outcome.left.length, 1, outcome.left.join('; '));
    t.regex(
      outcome.left[0] ?? '',
      /^db3 was left behind: it does not want to; .*`failover relocate db3 db2`/,
    );
    t.deepEqual(outcome.warnings, []);
  });
}

test('what was given back to a bystander is not given back again when the change fails later', async (t) => {
  const fake = fakeCluster({
    'db3.follow': () => failing(),
    'db1.makeReadOnly': () => failing('a transaction is open'),
  });
  const outcome = await carryOut(withBystander(), fake);
  t.is(outcome.outcome, 'undone');
  t.is(fake.calls.filter((call) => call === 'db3.startReceiver').length, 1);
  t.is(outcome.message, 'a transaction is open');
});

test('events get the statuses that they have on the old primary, or had when it was seen last', async (t) => {
  const asked: unknown[] = [];
  const plan = (as?: string): Plan =>
    planOf([{ action: { do: 'enable-events', instance: 'db2', as, disabled: ['app.seen'] } }]);
  const enabling = (behaviour: Parameters<typeof fakeCluster>[0], as?: string) => {
    const fake = fakeCluster(behaviour);
    const server = fake.ports.servers.get('db2')!;
    const told = new Proxy(server, {
      get: (target, method, receiver) =>
        method === 'enableEvents'
          ? async (disabled: readonly string[]) => asked.push(disabled)
          : (Reflect.get(target, method, receiver) as unknown),
    });
    return carryOut(plan(as), {
      ...fake,
      ports: { ...fake.ports, servers: new Map([...fake.ports.servers, ['db2', told]]) },
    });
  };
  await enabling({ 'db1.disabledEvents': async () => ['app.now'] }, 'db1');
  await enabling({ 'db1.disabledEvents': () => failing() }, 'db1');
  await enabling({});
  t.deepEqual(asked, [['app.now'], ['app.seen'], ['app.seen']]);
});

const TAIL = '00000000-0000-0000-0000-000000000001:8-9';

/** A step that brings db2 what only the log of db1 holds, and one that opens db2. */
const rescue = (): Plan =>
  planOf(
    [
      {
        action: { do: 'apply-log', instance: 'db2', of: 'db1', gtids: TAIL },
        undo: [{ do: 'make-read-only', instance: 'db2' }],
      },
    ],
    [{ action: { do: 'make-writable', instance: 'db2' }, irreversible: true }],
  );
const HEADS = '#log b.1\n\tPrevious-GTIDs\n# [empty]\n';

test('what only the log of the old primary holds is applied, and seen to be there, before writes are taken', async (t) => {
  const applied = { is: false };
  const fake = fakeCluster({
    'db1.newestLogs': async () => HEADS,
    'db2.applyLog': async () => void (applied.is = true),
    'db2.executed': async () => parseGtids('mysql', applied.is ? TAIL : ''),
  });
  t.like(await carryOut(rescue(), fake), { outcome: 'done' });
  t.deepEqual(changes(fake.calls), [
    'db1.newestLogs',
    'db1.logStatements',
    'db2.applyLog',
    'db2.makeWritable',
  ]);
  // Once more: it is there already.
  const again = fakeCluster({ 'db2.executed': async () => parseGtids('mysql', TAIL) });
  await carryOut(rescue(), again);
  t.deepEqual(changes(again.calls), ['db2.makeWritable']);
});

test('a log that was applied and did not bring what was announced takes the change back', async (t) => {
  const fake = fakeCluster({ 'db1.newestLogs': async () => HEADS });
  const outcome = await carryOut(rescue(), fake);
  t.is(outcome.outcome, 'undone');
  t.regex(outcome.message ?? '', /has not got from the binary log of db1: .*:8-9/);
  t.deepEqual(changes(fake.calls).slice(-1), ['db2.makeReadOnly']);
});

test('a replica that was stopped for a log is started again once that log is no longer applied', async (t) => {
  const stop = { do: 'stop-replica', instance: 'db2' } as const;
  const plan = planOf(
    [{ action: stop, undo: [{ do: 'start-replica', instance: 'db2' }] }],
    [{ action: { do: 'apply-log', instance: 'db2', of: 'db1', gtids: TAIL } }],
    [{ action: { do: 'make-writable', instance: 'db2' }, irreversible: true }],
  );
  const fake = fakeCluster({ 'db1.newestLogs': async () => HEADS, 'db2.applyLog': () => failing() });
  t.is((await carryOut(plan, fake)).outcome, 'undone');
  const does = changes(fake.calls).filter((call) => call.startsWith('db2.'));
  t.deepEqual(does, ['db2.stopReplica', 'db2.applyLog', 'db2.startReplica']);
});

test('a removed instance is forgotten, also when there is nothing to do to it', async (t) => {
  const fake = fakeCluster();
  await fake.ports.coordination.remember((memory) => ({
    ...memory,
    rules: { db3: 'prefer' },
    fenced: ['db3'],
  }));
  const plan: Plan = { ...planOf(), kind: 'remove', from: undefined, to: 'db3' };
  t.like(await carryOut(plan, fake), { outcome: 'done', kind: 'remove' });
  t.like(fake.memory(), { rules: {}, fenced: [], downtimes: [{ instance: 'db3', by: 'tester' }] });
});
