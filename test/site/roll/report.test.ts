import test from 'ava';

import { countsBy } from '../../../src/site/counters.ts';
import type { RollRecord } from '../../../src/site/roll/record.ts';
import { totalTraffic } from '../../../src/site/roll/report.ts';
import { looked, type Traffic, unseenSince } from '../../../src/site/roll/traffic.ts';

const RECORD: RollRecord = {
  version: 1,
  id: 'one',
  purpose: 'roll kernel.yml',
  who: 'ann@desk',
  startedAt: 1000,
  endedAt: 90_000,
  outcome: 'done',
  hosts: [],
};

/** Two looks. */
function traffic(requests: number, slowest: readonly [number, number], at = 2000): Traffic {
  const look = (served: number, slowestMs: number) => [
    { pid: 1, counts: countsBy((name) => (name === 'requests' ? served : 0)), slowestMs },
  ];
  return looked(looked(undefined, look(50, slowest[0]), at), look(50 + requests, slowest[1]), at + 1000);
}

test('what all balancers counted is one sum, with the slowest request of all', (t) => {
  const total = totalTraffic({
    record: RECORD,
    traffic: new Map([
      ['lb1', traffic(10, [30, 40])],
      ['lb2', traffic(5, [20, 60])],
    ]),
  });
  t.is(total?.counts.requests, 15);
  t.like(total, { slowestMs: 60, slowestIsBound: false, notCounted: [] });
});

test('a slower request of before hides how slow the slowest was since then', (t) => {
  const total = totalTraffic({ record: RECORD, traffic: new Map([['lb1', traffic(10, [700, 700])]]) });
  t.like(total, { slowestMs: 700, slowestIsBound: true });
});

test('what nobody counted is named: a balancer that did not answer, a gap, and the time before a resume', (t) => {
  const total = totalTraffic({
    record: RECORD,
    traffic: new Map<string, Traffic | string>([
      ['lb1', unseenSince(traffic(10, [1, 2], 51_000), 52_500)],
      ['lb2', 'lb2: there is no such program'],
    ]),
  });
  t.deepEqual(total?.notCounted, [
    'what came before the roll was resumed, 50 s after its beginning',
    'lb1: what processes of HAProxy served after they were last asked, before they ended (once, 0.5 s at most)',
    'lb2: there is no such program',
  ]);
});

test('without any answer nothing is known', (t) => {
  t.is(totalTraffic({ record: RECORD, traffic: new Map([['lb1', 'it did not answer']]) }), undefined);
});
