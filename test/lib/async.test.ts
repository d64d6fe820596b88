import test from 'ava';

import { poll, retry, sleep, within } from '../../src/lib/async.ts';

const LONG = 60_000;
const never = new Promise<never>(() => {});
const expired = (): Error => new Error('too late');

test('work that fails is done again until it succeeds', async (t) => {
  const tries: number[] = [];
  const result = await retry(
    async (attempt) => {
      tries.push(attempt);
      if (attempt < 3) throw new Error(`try ${attempt}`);
      return 'done';
    },
    { pause: () => 0 },
  );
  t.is(result, 'done');
  t.deepEqual(tries, [1, 2, 3]);
});

test('the last error counts when no pause is left', async (t) => {
  const work = retry(
    async (attempt) => {
      throw new Error(`try ${attempt}`);
    },
    { pause: (tries) => (tries < 3 ? 0 : undefined) },
  );
  await t.throwsAsync(work, { message: 'try 3' });
});

test('an error that another try would meet as well ends the tries', async (t) => {
  let tries = 0;
  const work = retry(
    async () => {
      tries++;
      throw new TypeError('wrong');
    },
    { pause: () => 0, isTransient: (error) => !(error instanceof TypeError) },
  );
  await t.throwsAsync(work, { message: 'wrong' });
  t.is(tries, 1);
});

test('a signal ends every kind of waiting with its reason', async (t) => {
  const reason = new Error('interrupted');
  const waits: readonly ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => sleep(LONG, signal),
    (signal) => retry(() => Promise.reject(new Error('no')), { pause: () => LONG, signal }),
    (signal) => within(never, { ms: LONG, expired, signal }),
    (signal) => poll(() => Promise.resolve(undefined), { everyMs: LONG, withinMs: LONG, signal }),
  ];
  for (const wait of waits) {
    const stop = new AbortController();
    const waiting = wait(stop.signal);
    stop.abort(reason);
    t.is(await waiting.catch((error: unknown) => error), reason);
    t.is(
      await wait(stop.signal).catch((error: unknown) => error),
      reason,
      'and so it is when it came before',
    );
  }
});

test('work within its time gives its result or its error', async (t) => {
  t.is(await within(Promise.resolve(1), { ms: LONG, expired }), 1);
  await t.throwsAsync(within(Promise.reject(new Error('its own')), { ms: LONG, expired }), {
    message: 'its own',
  });
});

test('work that takes too long is given up, and fails unheard afterwards', async (t) => {
  const work = Promise.withResolvers<void>();
  await t.throwsAsync(within(work.promise, { ms: 1, expired }), { message: 'too late' });
  work.reject(new Error('nobody listens'));
  await t.notThrowsAsync(Promise.resolve());
});

test('a question is asked once at least, and again until there is an answer', async (t) => {
  let asked = 0;
  const third = async (): Promise<string | undefined> => (++asked === 3 ? 'yes' : undefined);
  t.is(await poll(third, { everyMs: 0, withinMs: LONG }), 'yes');
  t.is(asked, 3);
  asked = 2;
  t.is(await poll(third, { everyMs: LONG, withinMs: 0 }), 'yes');
  t.is(await poll(third, { everyMs: LONG, withinMs: 0 }), undefined);
});
