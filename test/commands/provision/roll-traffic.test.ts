import test from 'ava';

import { watchTraffic } from '../../../src/commands/provision/roll-traffic.ts';
import { UserError } from '../../../src/lib/errors.ts';
import { countsBy, type ProcessCounters } from '../../../src/site/counters.ts';

function counters(pid: number, requests: number): readonly ProcessCounters[] {
  return [{ pid, counts: countsBy((name) => (name === 'requests' ? requests : 0)), slowestMs: 5 }];
}

test('what came between the first look and the last is counted', async (t) => {
  let served = 100;
  const watch = await watchTraffic([{ name: 'lb1', counters: async () => counters(1, served) }]);
  served = 130;
  const traffic = (await watch.end()).get('lb1');
  t.is(typeof traffic === 'object' && traffic.counts.requests, 30);
  t.deepEqual(typeof traffic === 'object' && traffic.gaps, []);
});

test('a balancer that cannot be asked says why, and one that is lost at the end leaves a gap', async (t) => {
  let isLost = false;
  const watch = await watchTraffic([
    { name: 'lb1', counters: async () => await Promise.reject(new UserError('lb1: no such program')) },
    {
      name: 'lb2',
      counters: async () => {
        if (isLost) throw new UserError('lb2: unreachable');
        return counters(1, 7);
      },
    },
  ]);
  isLost = true;
  const ended = await watch.end();
  t.is(ended.get('lb1'), 'lb1: no such program');
  const lb2 = ended.get('lb2');
  t.is(typeof lb2 === 'object' && lb2.gaps.length, 1);
});

test('a balancer that never answers holds nobody up', async (t) => {
  const watch = await watchTraffic([
    { name: 'lb1', counters: async () => await new Promise<readonly ProcessCounters[]>(() => {}) },
  ]);
  t.is((await watch.end()).get('lb1'), 'it did not answer');
});
