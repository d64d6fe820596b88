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
      'apply-backlog db3',
      'catch-up db2 with db3',
      'forget-source db3',
    ]);
  });
}

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

test('a replica that does not answer is only forgotten', (t) => {
  const topology = describe({
    instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 dead=timeout'],
  });
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
