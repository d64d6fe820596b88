import test from 'ava';

import { withoutMember, withoutRemoval } from '../../../src/failover/cluster/without-member.ts';
import { planAdd } from '../../../src/failover/plan/add.ts';
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

test('a name that was removed counts again when it is added', (t) => {
  const disk = { instance: 'db3', until: 5, reason: 'disk', by: 'x' };
  const removed = withoutMember(NO_MEMORY, 'db4', { by: 'me', at: 1000 });
  t.deepEqual(withoutRemoval({ ...removed, downtimes: [...removed.downtimes, disk] }, 'db4').downtimes, [
    disk,
  ]);
});
