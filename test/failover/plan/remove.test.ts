import test from 'ava';

import { withoutMember } from '../../../src/failover/cluster/without-member.ts';
import { planRemove } from '../../../src/failover/plan/remove.ts';
import { planText } from '../support/plan-text.ts';
import { describe, NO_MEMORY, SETTINGS } from '../support/topology.ts';

const FLAVOURS = ['mysql', 'mariadb'] as const;

for (const flavour of FLAVOURS) {
  test(`${flavour}: a replica leaves when the others have all that it has`, (t) => {
    const topology = describe({
      flavour,
      instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1 1:1-98 +1:99-100'],
    });
    const planned = planRemove(topology, 'db3', SETTINGS);
    t.true('plan' in planned, JSON.stringify(planned));
    if (!('plan' in planned)) return;
    t.like(planned.plan, { kind: 'remove', from: 'db1', to: 'db3' });
    t.deepEqual(planText(planned.plan), [
      'stop-receiver db3',
      'await-received db3 1 of db2',
      'forget-source db3',
    ]);
    t.false(planned.plan.stages.flat().some(({ optional }) => optional));
  });
}

const KEPT = [
  {
    why: 'it has received and cannot apply',
    instances: ['db1 primary 1:1-100', 'db2 <db1 applier=1062 1:1-90 +1:91-100', 'db3 <db1 1:1-90'],
    steps: ['stop-receiver db2', 'await-received db2 1 of db3', 'forget-source db2'],
  },
  {
    why: 'the only other one that acknowledges has not applied yet',
    instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1 lag=600 1:1-40'],
    steps: ['stop-receiver db2', 'await-received db2 1 of db3', 'forget-source db2'],
  },
  {
    why: 'the only other one that acknowledges applies late on purpose',
    instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1 delay=3600 1:1-40'],
    steps: ['stop-receiver db2', 'await-received db2 1 of db3', 'forget-source db2'],
  },
  {
    why: 'two must have it',
    instances: [
      'db1 primary need=2 1:1-100',
      'db2 <db1 1:1-100',
      'db3 <db1 1:1-100',
      'db4 <db1 1:1-99',
      'db5 <db1x 1:1-90',
    ],
    steps: ['stop-receiver db2', 'await-received db2 2 of db3,db4', 'forget-source db2'],
  },
  {
    why: 'it follows nobody any more',
    instances: ['db1 primary 1:1-100', 'db2 1:1-100', 'db3 <db1 1:1-40'],
    steps: ['await-received db2 1 of db3'],
  },
  {
    why: 'it is dead and may have acknowledged',
    instances: ['db1 primary 1:1-100', 'db2 dead=timeout', 'db3 <db1 1:1-40'],
    steps: ['await-received db1 1 of db3'],
  },
  {
    why: 'the primary waits for nobody, and another one hears it',
    instances: ['db1 primary async 1:1-100', 'db2 <db1 async 1:1-100', 'db3 <db1 async 1:1-90'],
    steps: ['stop-receiver db2', 'await-received db2 1 of db3', 'forget-source db2'],
  },
] as const;

for (const { why, instances, steps } of KEPT) {
  test(`what a replica holds is on the others before it leaves: ${why}`, (t) => {
    const planned = planRemove(describe({ instances }), 'db2', SETTINGS);
    t.true('plan' in planned, JSON.stringify(planned));
    if (!('plan' in planned)) return;
    t.deepEqual(planText(planned.plan), steps);
    t.false(planned.plan.stages.flat().some(({ optional }) => optional));
  });
}

test('what it has received counts, and what the primary never had does not', (t) => {
  const topology = describe({
    instances: ['db1 primary 1:1-100', 'db2 <db1 applier=1062 1:1-90 2:1-3 +1:91-100', 'db3 <db1 1:1-90'],
  });
  const planned = planRemove(topology, 'db2', SETTINGS);
  t.true('plan' in planned, JSON.stringify(planned));
  if (!('plan' in planned)) return;
  const wait = planned.plan.stages.flat().find(({ action }) => action.do === 'await-received');
  t.like(wait?.action, {
    has: '00000000-0000-0000-0000-000000000001:1-100',
    without: '00000000-0000-0000-0000-000000000002:1-3',
  });
});

test('the operator accepts that only the primary has it meanwhile', (t) => {
  const topology = describe({
    instances: ['db1 primary ackers=2 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1x 1:1-90'],
  });
  const planned = planRemove(topology, 'db2', SETTINGS, ['HoldsAcknowledged']);
  t.true('plan' in planned, JSON.stringify(planned));
  if (!('plan' in planned)) return;
  t.deepEqual(planText(planned.plan), ['stop-receiver db2', 'forget-source db2']);
  t.deepEqual(planned.plan.accepted, ['HoldsAcknowledged']);
});

const REFUSED = [
  {
    why: 'the primary',
    instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1 1:1-100'],
    name: 'db1',
    code: 'StillPrimary',
  },
  {
    why: 'a primary that is dead',
    instances: ['db1 dead=refused', 'db2 <db1~ 1:1-100', 'db3 <db1~ 1:1-100'],
    name: 'db1',
    code: 'StillPrimary',
  },
  {
    why: 'anybody while there is no primary',
    instances: ['db1 dead=refused', 'db2 <db1~ 1:1-100', 'db3 <db1~ 1:1-100'],
    name: 'db3',
    code: 'NoWritablePrimary',
  },
  {
    why: 'the last replica that can acknowledge',
    instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100'],
    name: 'db2',
    code: 'NeededAcker',
  },
  {
    why: 'one of two that are both needed',
    instances: ['db1 primary need=2 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1 1:1-100'],
    name: 'db2',
    code: 'NeededAcker',
  },
  {
    why: 'the only one that has what was acknowledged',
    instances: ['db1 primary ackers=2 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1x 1:1-90'],
    name: 'db2',
    code: 'HoldsAcknowledged',
  },
  {
    why: 'one that has received what was acknowledged, and cannot apply it',
    instances: ['db1 primary ackers=2 1:1-100', 'db2 <db1 applier=1062 1:1-90 +1:91-100', 'db3 <db1~ 1:1-90'],
    name: 'db2',
    code: 'HoldsAcknowledged',
  },
  {
    why: 'a dead one that may have acknowledged what nobody else gets',
    instances: ['db1 primary 1:1-100', 'db2 dead=timeout', 'db3 <db1x 1:1-90'],
    name: 'db2',
    code: 'HoldsAcknowledged',
  },
  {
    why: 'one that follows nobody and has what nobody else gets',
    instances: ['db1 primary 1:1-100', 'db2 1:1-100', 'db3 <db1x 1:1-90'],
    name: 'db2',
    code: 'HoldsAcknowledged',
  },
  {
    why: 'one that others follow',
    instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 <db2 1:1-100', 'db4 <db1 1:1-100'],
    name: 'db2',
    code: 'HasReplicas',
  },
  {
    why: 'a stranger',
    instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100'],
    name: 'db9',
    code: 'UnknownInstance',
  },
] as const;

for (const { why, instances, name, code } of REFUSED) {
  test(`nobody removes ${why}`, (t) => {
    const planned = planRemove(describe({ instances }), name, SETTINGS);
    t.deepEqual('refusals' in planned ? planned.refusals.map((one) => one.code) : planText(planned.plan), [
      code,
    ]);
  });
}

test('nobody is removed while a change is cut off', (t) => {
  const topology = describe({
    instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1 1:1-100'],
    memory: { unfinished: { id: 'x', kind: 'switchover', from: 'db1', to: 'db2' } },
  });
  const planned = planRemove(topology, 'db3', SETTINGS);
  t.like(planned, { refusals: [{ code: 'UnknownOutcome' }] });
});

test('a fenced one has acknowledged nothing since: it is only forgotten', (t) => {
  const instances = ['db1 primary 1:1-100', 'db2 dead=refused', 'db3 <db1x 1:1-90'];
  const planned = planRemove(describe({ instances, memory: { fenced: ['db2'] } }), 'db2', SETTINGS);
  t.deepEqual('plan' in planned ? planText(planned.plan) : planned.refusals, []);
});

test('where nobody waits and nobody else is there, a replica that does not answer is only forgotten', (t) => {
  const topology = describe({ instances: ['db1 primary async 1:1-100', 'db3 dead=timeout'] });
  const planned = planRemove(topology, 'db3', SETTINGS);
  t.true('plan' in planned && planned.plan.stages.length === 0);
});

test('nothing of a removed instance is remembered, and the watch leaves it alone', (t) => {
  const memory = {
    ...NO_MEMORY,
    rules: { db3: 'prefer', db2: 'must_not' },
    fenced: ['db3', 'db4'],
    below: { db3: 'db2', db4: 'db3', db5: 'db2' },
    identities: { db2: 'a', db3: 'b' },
    started: { db3: 1 },
    downtimes: [{ instance: 'db3', until: 5, reason: 'disk', by: 'x' }],
  } as const;
  const after = withoutMember(memory, 'db3', { by: 'me', at: 1000 });
  t.like(after, {
    rules: { db2: 'must_not' },
    fenced: ['db4'],
    below: { db5: 'db2' },
    identities: { db2: 'a' },
    started: {},
  });
  t.is(after.downtimes.length, 1);
  t.like(after.downtimes[0], { instance: 'db3', by: 'me', reason: 'removed from the cluster' });
});
