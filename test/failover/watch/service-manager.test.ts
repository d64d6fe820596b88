import { setTimeout as wait } from 'node:timers/promises';

import test from 'ava';

import { serviceManager } from '../../../src/failover/watch/service-manager.ts';

test('systemd hears that the watch is ready, that it lives, and that it ends', async (t) => {
  const told: string[] = [];
  let isAlive = true;
  const manager = serviceManager({
    environment: { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '30000' },
    isAlive: () => isAlive,
    notify: (state) => void told.push(state),
  });
  t.deepEqual(told, []);
  manager.ready();
  t.deepEqual(told, ['READY=1']);
  while (told.length < 3) await wait(5);
  t.deepEqual(told.slice(1, 3), ['WATCHDOG=1', 'WATCHDOG=1']);
  isAlive = false;
  const before = told.length;
  await wait(60);
  t.is(told.length, before, 'who stands still is started anew');
  manager.stopping();
  t.is(told.at(-1), 'STOPPING=1');
});

test('without systemd nobody is told anything', (t) => {
  const told: string[] = [];
  const manager = serviceManager({
    environment: {},
    isAlive: () => true,
    notify: (state) => void told.push(state),
  });
  manager.ready();
  manager.stopping();
  t.deepEqual(told, []);
});
