import test from 'ava';

import { withoutMember, withoutRemoval } from '../../../src/failover/cluster/without-member.ts';
import { planAdd } from '../../../src/failover/plan/add.ts';
import { closes } from '../../../src/failover/plan/close.ts';
import type { Instance, Topology } from '../../../src/failover/cluster/topology.ts';
import type { InstanceState } from '../../../src/database/state.ts';
import { planText } from '../support/plan-text.ts';
import { describe, NO_MEMORY, SETTINGS, uuidOf } from '../support/topology.ts';

/** A primary with a replica, and db4, which is new: what it has, and what it says of itself. */
function withNew(line: string, state: Partial<InstanceState> = {}): Topology {
  const topology = describe({ instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100', line] });
  const changed = (instance: Instance): Instance =>
    instance.kind === 'answering' && instance.spec.name === 'db4'
      ? { ...instance, state: { ...instance.state, ...state } }
      : instance;
  return { ...topology, instances: topology.instances.map(changed) };
}

function said(topology: Topology, clone = false): readonly string[] {
  const planned = planAdd(topology, { instance: 'db4', clone }, SETTINGS);
  return 'refusals' in planned ? planned.refusals.map(({ code }) => code) : planText(planned.plan);
}

test('an empty server follows the primary', (t) => {
  t.true(said(withNew('db4')).join().includes('follow db4 db1'));
});

test('a server with data of its own is copied onto only when that is asked for', (t) => {
  t.deepEqual(said(withNew('db4 4:1-7')), ['ErrantTransactions']);
  t.true(said(withNew('db4 4:1-7'), true).join().includes('!clone db4 from db2'));
});

const REFUSED: readonly (readonly [
  why: string,
  line: string,
  state: Partial<InstanceState>,
  code: string,
])[] = [
  ['with the server_uuid of another', 'db4', { uuid: uuidOf('db2') }, 'SameIdentity'],
  ['with the server_id of another', 'db4', { serverId: 2 }, 'SameIdentity'],
  ['without GTIDs', 'db4', { gtidMode: false }, 'GtidsOff'],
  ['without a binary log', 'db4', { logBin: false }, 'NoBinaryLog'],
  ['that does not log what it replicates', 'db4', { logReplicaUpdates: false }, 'NoReplicaUpdatesInLog'],
  ['that is one already', 'db4 <db1 1:1-100', {}, 'AlreadyMember'],
  ['that takes writes and has data of its own', 'db4 writable 4:1-7', {}, 'ErrantTransactions'],
  ['that takes writes and has replicas of its own', 'db4 writable seen=db7@10.0.0.7', {}, 'HasReplicas'],
  [
    'of an older release',
    'db4',
    { version: { flavour: 'mysql', major: 8, minor: 4, patch: 9, text: '8.4.9' } },
    'OlderThanPrimary',
  ],
];

for (const [why, line, state, code] of REFUSED) {
  test(`a server ${why} is not added`, (t) => {
    t.deepEqual(said(withNew(line, state)), [code]);
  });
}

const BEFORE: readonly (readonly [why: string, code: string, instances: readonly string[], clone?: true])[] =
  [
    [
      'the primary has purged what it needs',
      'PurgedTransactions',
      ['db1 primary purged=1:1-80 1:1-100', 'db2 <db1 1:1-100', 'db4 writable 1:1-50'],
    ],
    [
      'one of the cluster follows it',
      'HasReplicas',
      ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 <db4', 'db4 writable'],
    ],
    [
      'it has replicas, which would lose what it is',
      'HasReplicas',
      ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db4 writable seen=db7@10.0.0.7 4:1-7'],
      true,
    ],
    [
      'the copy would wait for its own primary',
      'CommitsWait',
      ['db1 primary 1:1-100', 'db2 dead', 'db4 writable 4:1-7'],
      true,
    ],
  ];

for (const [why, code, instances, clone = false] of BEFORE) {
  test(`a server that takes writes is refused before anything is done to it: ${why}`, (t) => {
    const memory = { primary: 'db1' };
    t.deepEqual(said(describe({ instances, memory }), clone), [code]);
  });
}

test('a server that takes writes is not closed where nobody is there to follow', (t) => {
  const memory = { primary: 'db1' };
  for (const db1 of ['db1 1:1-100', 'db1 dead=timeout']) {
    const topology = describe({
      instances: [db1, 'db2 <db1 1:1-100', 'db3 writable 3:1-2', 'db4 writable'],
      memory,
    });
    t.deepEqual(said(topology), ['NoWritablePrimary'], db1);
  }
});

test('an empty server that takes writes is closed first, and one with data when they are thrown away; that asks', (t) => {
  for (const [line, clone] of [
    ['db4 writable', false],
    ['db4 writable 4:1-7', true],
  ] as const) {
    const planned = planAdd(withNew(line), { instance: 'db4', clone }, SETTINGS);
    t.true('plan' in planned && planned.again, line);
    if (!('plan' in planned)) continue;
    t.true(planText(planned.plan).includes('make-read-only db4'), line);
    t.true(closes(planned.plan), line);
  }
  const planned = planAdd(withNew('db4'), { instance: 'db4' }, SETTINGS);
  t.true('plan' in planned && !closes(planned.plan));
});

test('a name that was removed counts again when it is added', (t) => {
  const disk = { instance: 'db3', until: 5, reason: 'disk', by: 'x' };
  const removed = withoutMember(NO_MEMORY, 'db4', { by: 'me', at: 1000 });
  t.deepEqual(withoutRemoval({ ...removed, downtimes: [...removed.downtimes, disk] }, 'db4').downtimes, [
    disk,
  ]);
});
