import test from 'ava';

import type { Problem } from '../../../src/failover/problems/problems.ts';
import { patience } from '../../../src/failover/watch/patience.ts';

const problem = (recovery: Problem['recovery'], instance = 'db1'): Problem => ({
  code: 'ReplicationStopped',
  severity: 'critical',
  instance,
  message: '',
  remedy: '',
  recovery,
});

/** For how long it is left alone when it is left at this time. */
function pauseAt(held: ReturnType<typeof patience>, one: Problem, now: number): number {
  held.leave(one, now);
  let pause = 0;
  while (held.isLeft(one, now + pause)) pause += 250;
  return pause;
}

test('what cannot be done is left alone for longer and longer, within limits', (t) => {
  const held = patience();
  const one = problem('rejoin');
  t.false(held.isLeft(one, 0));
  let now = 0;
  const pauses: number[] = [];
  for (let round = 0; round < 10; round++) {
    const pause = pauseAt(held, one, now);
    pauses.push(pause);
    now += pause;
  }
  t.deepEqual(pauses.slice(0, 4), [2000, 4000, 8000, 16_000]);
  t.is(Math.max(...pauses), 300_000);
  t.false(held.isLeft(problem('rejoin', 'db2'), 0), 'another instance is another matter');
  held.forget(one);
  t.is(pauseAt(held, one, now), 2000);
  t.is(pauseAt(held, one, now + 10_000_000), 2000, 'after a long time it is a new problem');
});

test('a failover that was refused is tried again at once and always: a witness may come back', (t) => {
  const held = patience();
  const one = problem('failover');
  for (let round = 0; round < 10; round++) t.is(pauseAt(held, one, round * 1000), 250);
});
