import test from 'ava';

import type { Abilities } from '../../../src/balancer/balancer.ts';
import { surveyOf } from '../../../src/failover/cluster/survey-of.ts';
import type { BalancerView } from '../../../src/failover/cluster/topology.ts';
import { writerNotes } from '../../../src/failover/plan/writer-notes.ts';
import { describe, SETTINGS } from '../support/topology.ts';

const VIP: Abilities = { kind: 'vip', holds: false, ends: true, checks: false, staleSeconds: 0 };
const DNS: Abilities = { kind: 'dns', holds: false, ends: false, checks: false, staleSeconds: 5 };

function notesOf(balancers: readonly BalancerView[]): readonly string[] {
  const topology = describe({ instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100'], balancers });
  return writerNotes(surveyOf(topology, SETTINGS), 'db1');
}

test('what HAProxy does needs no note', (t) => {
  t.deepEqual(notesOf([{ name: 'lb1', reachable: true, writers: ['web1'] }]), []);
});

test('a plan says where writers do not wait, and where they may still go to the old primary', (t) => {
  t.deepEqual(
    notesOf([
      { name: 'db-vip', abilities: VIP, reachable: true, writers: ['web1'] },
      { name: 'db.foobar.test', abilities: DNS, reachable: true, writers: ['web1'] },
    ]),
    [
      'new writers are refused meanwhile, and do not wait, at db-vip and db.foobar.test',
      'clients of db.foobar.test may open sessions to db1 for 5 s more, and those that are open stay until they end there',
    ],
  );
});

test('a plan says when a way that has to be told does not answer', (t) => {
  const [, note] = notesOf([{ name: 'db-vip', abilities: VIP, reachable: false, writers: [] }]);
  t.is(note, 'db-vip does not answer: its clients cannot be sent to the new primary');
});
