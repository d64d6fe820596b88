import test from 'ava';
import { type Attempt, firstOf } from '../../src/lib/first-of.ts';

interface Way {
  readonly attempt: () => Attempt<string>;
  readonly succeed: (value: string) => void;
  readonly fail: (message: string) => void;
  readonly isUnderway: () => void;
  readonly started: Promise<void>;
  readonly isStarted: () => boolean;
  readonly isCancelled: () => boolean;
}

function way(): Way {
  const result = Promise.withResolvers<string>();
  const underway = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  let state: 'waiting' | 'started' | 'cancelled' = 'waiting';
  return {
    attempt() {
      state = 'started';
      started.resolve();
      return {
        underway: underway.promise,
        result: result.promise,
        cancel() {
          state = 'cancelled';
        },
      };
    },
    succeed: result.resolve,
    fail: (message) => result.reject(new Error(message)),
    isUnderway: underway.resolve,
    started: started.promise,
    isStarted: () => state !== 'waiting',
    isCancelled: () => state === 'cancelled',
  };
}

const never = (): boolean => false;
const LONG = 60_000;

test('the first way is enough when it works', async (t) => {
  const [one, two] = [way(), way()];
  one.succeed('there');
  t.deepEqual(await firstOf([one.attempt, two.attempt], { patienceMs: LONG, isFinal: never }), {
    kind: 'reached',
    value: 'there',
    way: 0,
    tried: 1,
  });
  t.false(two.isStarted());
  t.false(one.isCancelled());
});

test('a way that fails gives place to the next at once', async (t) => {
  const [one, two] = [way(), way()];
  one.fail('dead');
  two.succeed('there');
  t.like(await firstOf([one.attempt, two.attempt], { patienceMs: LONG, isFinal: never }), { way: 1 });
});

test('a silent way is overtaken by the next, and given up when that arrives', async (t) => {
  const [one, two] = [way(), way()];
  const outcome = firstOf([one.attempt, two.attempt], { patienceMs: 5, isFinal: never });
  await two.started;
  t.false(one.isCancelled());
  two.succeed('there');
  t.like(await outcome, { kind: 'reached', way: 1, tried: 2 });
  t.true(one.isCancelled());
});

test('a silent way may still win after the next has started', async (t) => {
  const [one, two] = [way(), way()];
  const outcome = firstOf([one.attempt, two.attempt], { patienceMs: 5, isFinal: never });
  await two.started;
  one.succeed('there');
  t.like(await outcome, { kind: 'reached', way: 0, tried: 2 });
  t.true(two.isCancelled());
});

test('a way that is underway has all the time it needs', async (t) => {
  const [one, two, three] = [way(), way(), way()];
  one.isUnderway();
  const outcome = firstOf([one.attempt, two.attempt], { patienceMs: 5, isFinal: never });
  // Another race with the same patience shows that the time is over.
  const other = firstOf([way().attempt, three.attempt], { patienceMs: 50, isFinal: never });
  await three.started;
  t.false(two.isStarted());
  one.succeed('there');
  three.succeed('there');
  t.like(await outcome, { way: 0 });
  await other;
});

test('all errors are told in the order of the ways', async (t) => {
  const [one, two] = [way(), way()];
  const outcome = firstOf([one.attempt, two.attempt], { patienceMs: 5, isFinal: never });
  await two.started;
  two.fail('second');
  one.fail('first');
  t.deepEqual(await outcome, { kind: 'failed', errors: [new Error('first'), new Error('second')] });
});

test('a final error ends it, whatever else is left', async (t) => {
  const [one, two] = [way(), way()];
  one.fail('wrong key');
  const outcome = await firstOf([one.attempt, two.attempt], { patienceMs: LONG, isFinal: () => true });
  t.deepEqual(outcome, { kind: 'failed', errors: [new Error('wrong key')] });
  t.false(two.isStarted());
});

test('an abort gives up all ways', async (t) => {
  const [one, two] = [way(), way()];
  const controller = new AbortController();
  const outcome = firstOf([one.attempt, two.attempt], {
    patienceMs: 5,
    isFinal: never,
    signal: controller.signal,
  });
  await two.started;
  controller.abort(new Error('enough'));
  await t.throwsAsync(outcome, { message: 'enough' });
  t.true(one.isCancelled());
  t.true(two.isCancelled());
});
