import test from 'ava';

import { countsBy, type ProcessCounters } from '../../../src/site/counters.ts';
import { looked, type Traffic, unseenSince } from '../../../src/site/roll/traffic.ts';

function process(pid: number, requests: number, failed = 0, slowestMs = 0): ProcessCounters {
  const counts = countsBy((name) => (name === 'requests' ? requests : name === '5xx' ? failed : 0));
  return { pid, counts, slowestMs };
}

/** Looks a second apart. */
function after(...looks: readonly (readonly ProcessCounters[])[]): Traffic {
  return looks.reduce<Traffic | undefined>(
    (before, processes, index) => looked(before, processes, index * 1000),
    undefined,
  )!;
}

test('what was counted before the first look does not count', (t) => {
  const traffic = after([process(1, 1000, 50)], [process(1, 1010, 50)], [process(1, 1025, 51)]);
  t.is(traffic.counts.requests, 25);
  t.is(traffic.counts['5xx'], 1);
  t.deepEqual(traffic.points, [
    { at: 0, requests: 0, failed: 0 },
    { at: 1000, requests: 10, failed: 0 },
    { at: 2000, requests: 25, failed: 1 },
  ]);
  t.deepEqual(traffic.gaps, []);
});

test('after a reload the new process counts from zero, and the old one as long as it answers', (t) => {
  const traffic = after(
    [process(1, 100)],
    [process(2, 7), process(1, 103)],
    [process(2, 20), process(1, 104)],
  );
  t.is(traffic.counts.requests, 24);
  t.deepEqual(traffic.gaps, []);
});

test('a process that has ended may have served more than it said last: nobody counted it', (t) => {
  const traffic = after([process(1, 100)], [process(2, 7), process(1, 103)], [process(2, 20)]);
  t.is(traffic.counts.requests, 23);
  t.deepEqual(traffic.gaps, [{ from: 1000, to: 2000 }]);
});

test('less than before is another process with the same number, as after a reboot', (t) => {
  const traffic = after([process(1, 100)], [process(1, 110)], [process(1, 4)]);
  t.is(traffic.counts.requests, 14);
  t.deepEqual(traffic.gaps, [{ from: 1000, to: 2000 }]);
});

test('the slowest request is one since the first look, or those since then were not slower than one before', (t) => {
  t.like(after([process(1, 1, 0, 900)], [process(1, 5, 0, 900)]), { slowestMs: 0, slowestBefore: 900 });
  t.like(after([process(1, 1, 0, 900)], [process(1, 5, 0, 1200)]), { slowestMs: 1200 });
  t.like(after([process(1, 1, 0, 900)], [process(2, 5, 0, 30)]), { slowestMs: 30, slowestBefore: 900 });
});

test('when the last look fails, what came after the one before is not known', (t) => {
  t.deepEqual(unseenSince(after([process(1, 1)], [process(1, 2)]), 5000).gaps, [{ from: 1000, to: 5000 }]);
});
