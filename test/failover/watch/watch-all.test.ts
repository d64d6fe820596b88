import test from 'ava';

import { UserError } from '../../../src/lib/errors.ts';
import { type StartedWatch, type Watchable, watchAll } from '../../../src/failover/watch/watch-all.ts';

/** A watch that runs until it is told to stop, or is made to fail. */
function fakeWatch(signal: AbortSignal): StartedWatch & {
  alive: boolean;
  fail(error: Error): void;
  closed: boolean;
} {
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  const ended = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
  signal.addEventListener('abort', () => settle?.resolve(), { once: true });
  const watch = {
    alive: true,
    closed: false,
    isAlive: () => watch.alive,
    views: () => [],
    ended,
    fail: (error: Error) => settle?.reject(error),
    close: async () => void (watch.closed = true),
  };
  return watch;
}

/** Clusters whose watches are started by the test's own function. */
function scene(starts: Readonly<Record<string, (attempt: number) => Error | undefined>>) {
  const stop = new AbortController();
  const watches = new Map<string, ReturnType<typeof fakeWatch>>();
  const told: string[] = [];
  const attempts = new Map<string, number>();
  let ready = 0;
  let wake: (() => void) | undefined;
  const changed = (): void => wake?.();
  const clusters = Object.entries(starts).map(([name, start]): Watchable => ({
    name,
    start: async (signal, onReady) => {
      const attempt = (attempts.get(name) ?? 0) + 1;
      attempts.set(name, attempt);
      const error = start(attempt);
      if (error) throw error;
      const watch = fakeWatch(signal);
      watches.set(name, watch);
      onReady();
      changed();
      return watch;
    },
  }));
  const all = watchAll(clusters, {
    signal: stop.signal,
    onReady: () => {
      ready++;
      changed();
    },
    onFailure: (cluster, message) => {
      told.push(`${cluster}: ${message.split('\n')[0]}`);
      changed();
    },
    pauseMs: 1,
  });
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { stop, watches, told, attempts, all, until, ready: () => ready };
}

const fine = (): undefined => undefined;

test('a cluster whose description is wrong does not keep the others from being watched', async (t) => {
  const here = scene({ orders: () => new UserError('orders.json is not JSON'), shop: fine });
  await here.until(() => here.ready() === 1 && here.told.length > 1);
  t.is(here.told[0], 'orders: orders.json is not JSON');
  t.true(here.watches.get('shop')?.isAlive());
  t.true(here.all.isAlive());
  here.stop.abort();
  await here.all.ended;
  t.true(here.watches.get('shop')?.closed);
});

test('it is tried again, and watched when it has become right', async (t) => {
  const here = scene({
    orders: (attempt) => (attempt < 3 ? new UserError('not yet') : undefined),
    shop: fine,
  });
  await here.until(() => here.watches.has('orders'));
  t.deepEqual(here.told, ['orders: not yet', 'orders: not yet']);
  here.stop.abort();
  await here.all.ended;
  t.is(here.ready(), 1, 'the service manager is told once');
});

test('a watch that fails is closed and started anew, and the others go on', async (t) => {
  const here = scene({ orders: fine, shop: fine });
  await here.until(() => here.watches.size === 2);
  const shop = here.watches.get('shop');
  const orders = here.watches.get('orders');
  orders?.fail(new Error('a bug'));
  await here.until(() => here.attempts.get('orders') === 2 && here.watches.get('orders') !== orders);
  t.deepEqual(here.told, ['orders: Error: a bug']);
  t.true(orders?.closed);
  t.is(here.watches.get('shop'), shop);
  t.is(here.attempts.get('shop'), 1);
  here.stop.abort();
  await here.all.ended;
});

test('one watch that hangs is told to the service manager', async (t) => {
  const here = scene({ orders: fine, shop: fine });
  await here.until(() => here.watches.size === 2);
  await here.until(() => here.ready() === 1);
  t.true(here.all.isAlive());
  here.watches.get('shop')!.alive = false;
  t.false(here.all.isAlive());
  here.stop.abort();
  await here.all.ended;
});

test('what is wrong with the only cluster ends the process', async (t) => {
  const here = scene({ shop: () => new UserError('shop.json is not JSON') });
  await t.throwsAsync(here.all.ended, { message: /not JSON/ });
  t.deepEqual(here.told, []);
});
