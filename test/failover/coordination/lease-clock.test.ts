import { once } from 'node:events';

import test from 'ava';

import { leaseClock, now } from '../../../src/failover/coordination/lease-clock.ts';

const expired = (): Error => new Error('over');
const ago = (ms: number) => ({ steady: performance.now() - ms, wall: Date.now() - ms });

test('a lease counts from the moment when it was asked for, not from the answer', async (t) => {
  const clock = leaseClock(expired);
  clock.renew(ago(700), 1000);
  t.true(clock.valid());
  const from = performance.now();
  await once(clock.signal, 'abort');
  // 900 of 1000 ms are used, and 700 were over when the answer came.
  t.true(performance.now() - from >= 195);
  t.is((clock.signal.reason as Error).message, 'over');
  t.false(clock.valid());
});

test('an answer that came too late gives no lease', (t) => {
  const clock = leaseClock(expired);
  clock.renew(ago(950), 1000);
  t.false(clock.valid());
  t.true(clock.signal.aborted);
});

test('a process that stood still sees at once that the lease is over, before any timer has run', (t) => {
  const clock = leaseClock(expired);
  clock.renew(now(), 200);
  const until = performance.now() + 190;
  while (performance.now() < until);
  t.false(clock.signal.aborted);
  t.false(clock.valid());
  t.true(clock.signal.aborted);
  // The answer to a question that was under way does not bring it back.
  clock.renew(now(), 200);
  t.false(clock.valid());
});

test('either clock ends it: the steady one stands still in a sleep, the wall clock may be set back', (t) => {
  for (const sent of [
    { steady: performance.now(), wall: Date.now() - 1000 },
    { steady: performance.now() - 1000, wall: Date.now() + 60_000 },
  ]) {
    const clock = leaseClock(expired);
    clock.renew(sent, 1000);
    t.false(clock.valid());
  }
});

test('a renewed lease lasts, and one that is given back does not', async (t) => {
  const clock = leaseClock(expired);
  const until = performance.now() + 2500;
  clock.renew(now(), 1500);
  while (performance.now() < until) {
    clock.renew(now(), 1500);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.true(clock.valid());
  clock.end(new Error('given back'));
  t.false(clock.valid());
  t.is((clock.signal.reason as Error).message, 'given back');
});
