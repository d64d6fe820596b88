import test from 'ava';

import type { Problem } from '../../../src/failover/problems/problems.ts';
import { type Attempt, patience } from '../../../src/failover/watch/patience.ts';

const problem = (recovery: Problem['recovery'], instance = 'db1'): Problem => ({
  code: 'ReplicationStopped',
  severity: 'critical',
  instance,
  message: '',
  remedy: '',
  recovery,
});

type Held = ReturnType<typeof patience>;

/** For how long it is left alone when it is left at this time. */
function pauseAt(held: Held, one: Problem, now: number, attempt: Attempt = 'tried'): number {
  held.leave(one, attempt, now, '');
  let pause = 0;
  while (held.isLeft(one, now + pause, '')) pause += 250;
  return pause;
}

/** The pauses after so many attempts in a row. */
function pausesOf(held: Held, one: Problem, rounds: number): readonly number[] {
  let now = 0;
  return Array.from({ length: rounds }, () => {
    const pause = pauseAt(held, one, now);
    now += pause;
    return pause;
  });
}

test('what cannot be done is left alone for longer and longer, within limits', (t) => {
  const held = patience();
  const one = problem('rejoin');
  t.false(held.isLeft(one, 0, ''));
  const pauses = pausesOf(held, one, 10);
  t.deepEqual(pauses.slice(0, 4), [2000, 4000, 8000, 16_000]);
  t.is(Math.max(...pauses), 300_000);
  t.false(held.isLeft(problem('rejoin', 'db2'), 0, ''), 'another instance is another matter');
  held.forget(one);
  t.is(pauseAt(held, one, 1_000_000), 2000);
  t.is(pauseAt(held, one, 10_000_000), 2000, 'after a long time it is a new problem');
});

test('a failover that was refused is tried again at once and always: a witness may come back', (t) => {
  const held = patience();
  const one = problem('failover');
  for (let round = 0; round < 10; round++) t.is(pauseAt(held, one, round * 1000, 'refused'), 250);
});

test('a failover that was begun and taken back is tried again after a second, and at last once a minute', (t) => {
  const pauses = pausesOf(patience(), problem('failover'), 9);
  t.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('when others answer than at the last attempt, a failover is tried again sooner', (t) => {
  const held = patience();
  const one = problem('failover');
  for (let round = 0; round < 8; round++) held.leave(one, 'tried', round * 60_000, 'db2');
  const now = 7 * 60_000;
  t.true(held.isLeft(one, now + 30_000, 'db2'));
  t.true(held.isLeft(one, now + 500, 'db2 db3'));
  t.false(held.isLeft(one, now + 1000, 'db2 db3'));
});
