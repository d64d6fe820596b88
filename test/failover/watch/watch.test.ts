import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { fileCoordination } from '../../../src/failover/coordination/file.ts';
import { watchersOf } from '../../../src/failover/watch/presence.ts';
import { type Site, site, type Watcher } from './world-ports.ts';

/** Waits until it is so. */
async function until(what: string, condition: () => boolean, limitMs = 20_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await wait(10);
  }
}

const calm = (here: Site, ...watchers: readonly Watcher[]) =>
  until('the watches know the primary', () =>
    watchers.every(
      (one) => one.events.length > 0 && one.watch.isAlive() && here.world.memory.semiSync !== undefined,
    ),
  );

const promotions = (here: Site) =>
  [...here.entries.values()].filter(({ kind, outcome }) => kind === 'failover' && outcome === 'done');

const writable = (here: Site) =>
  [...here.world.nodes.values()].filter((node) => node.up && node.writable).map((node) => node.name);

/** Nothing that was acknowledged is lost, and never could two acknowledge. */
function nothingIsLost(t: ExecutionContext, here: Site): void {
  t.deepEqual(here.world.violations, []);
  here.world.everythingArrives();
  const [primary = ''] = writable(here);
  const { executed } = here.world.node(primary);
  t.deepEqual(
    [...here.world.acknowledged].filter((one) => !executed.has(one)),
    [],
  );
}

/** A site with a watch that has found everything in order. */
async function watched(
  t: ExecutionContext,
  settings: Parameters<typeof site>[0] = {},
): Promise<{ here: Site; watcher: Watcher }> {
  const here = site(settings);
  here.world.live(40);
  const watcher = here.watch('watch@lb1');
  t.teardown(() => watcher.stop());
  await calm(here, watcher);
  await until('all is well', () => watcher.watch.isAlive());
  await wait(100);
  return { here, watcher };
}

test('a primary whose process was killed is replaced, fenced, and taken back in', async (t) => {
  const { here, watcher } = await watched(t);
  here.world.everythingArrives();
  here.crash('db1');
  await until('another one takes writes', () => writable(here).length === 1);
  t.not(writable(here)[0], 'db1');
  nothingIsLost(t, here);
  await until('the old one follows', () => here.world.node('db1').link !== undefined);
  const [promotion] = promotions(here);
  t.like(promotion, { who: 'watch@lb1', from: 'db1' });
  t.is(here.world.memory.primary, promotion?.to);
  t.is(here.world.memory.unacknowledged?.id, promotion?.id);
  t.is(here.world.writer, promotion?.to);
  t.deepEqual(
    watcher.notifications.map(({ event }) => event).filter((event) => event !== 'problem'),
    ['detected', 'recovered', 'recovered', 'recovered'],
  );
  t.deepEqual(
    watcher.events.filter(({ event, code }) => event === 'suspect' && code === 'UnfinishedChange'),
    [],
    'its own change is nothing to be suspicious of',
  );
});

test('one that is cut off is replaced after its silence, and closed when it comes back', async (t) => {
  const { here } = await watched(t);
  here.world.everythingArrives();
  const startedAt = performance.now();
  here.world.isolated.add('db1');
  await until('another one takes writes', () => writable(here).length === 2);
  t.true(performance.now() - startedAt >= 500, 'its silence had an end');
  t.is(here.world.violations.length, 0, 'the old one cannot acknowledge, although it takes writes');
  here.world.isolated.delete('db1');
  await until('only one takes writes', () => writable(here).length === 1);
  nothingIsLost(t, here);
  t.not(writable(here)[0], 'db1');
});

test('who reaches nobody does nothing, and tells', async (t) => {
  const { here, watcher } = await watched(t);
  watcher.cutOff = true;
  await until('it is told', () => watcher.events.some(({ code }) => code === 'DeadPrimaryAndReplicas'));
  await until('and the store is told of', () => watcher.events.some(({ event }) => event === 'store-lost'));
  t.deepEqual(writable(here), ['db1']);
  t.is(here.entries.size, 0);
  watcher.cutOff = false;
  await until('it is over', () => watcher.events.some(({ event }) => event === 'store-back'));
  t.deepEqual(writable(here), ['db1']);
  t.is(here.entries.size, 0);
});

test('a memory that a newer release has written is told of, and nothing is done upon it', async (t) => {
  const { here, watcher } = await watched(t);
  const directory = mkdtempSync(join(tmpdir(), 'understudy-watch-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'shop'));
  writeFileSync(join(directory, 'shop', 'memory.json'), JSON.stringify({ version: 99, epoch: 9 }));
  const newer = await t.throwsAsync(fileCoordination({ directory, cluster: 'shop' }).memory());
  here.storeIsLost = newer.message;
  await until('it is told', () =>
    watcher.events.some(
      ({ event, message }) => event === 'store-lost' && /written by a newer release/.test(message),
    ),
  );
  here.crash('db1');
  await wait(2000);
  t.deepEqual(promotions(here), []);
  t.deepEqual(writable(here), []);
  // The watch was upgraded: what waited is done.
  here.storeIsLost = false;
  await until('another one takes writes', () => writable(here).length === 1);
});

test('a lost store demotes nobody and promotes nobody, until it is back', async (t) => {
  const { here, watcher } = await watched(t);
  here.storeIsLost = true;
  await until('it is told', () => watcher.events.some(({ event }) => event === 'store-lost'));
  t.deepEqual(writable(here), ['db1']);
  here.crash('db1');
  await until('it waits', () => watcher.events.some(({ event }) => event === 'waiting'));
  t.deepEqual(writable(here), []);
  here.storeIsLost = false;
  await until('it acts', () => writable(here).length === 1);
  nothingIsLost(t, here);
});

test('of two watches one acts, once', async (t) => {
  const here = site();
  const watchers = [here.watch('watch@lb1'), here.watch('watch@lb2')];
  t.teardown(() => Promise.all(watchers.map((one) => one.stop())));
  await calm(here, ...watchers);
  await until('both are there', () => watchersOf(here.world.memory, Date.now()).present.length === 2);
  here.crash('db1');
  await until('another one takes writes', () => writable(here).length === 1);
  await until('the old one follows', () => here.world.node('db1').link !== undefined);
  t.is(promotions(here).length, 1);
  t.deepEqual(here.world.violations, []);
});

test('who decides on a memory that somebody has changed since reads it, and then acts', async (t) => {
  const { here } = await watched(t);
  here.world.memory = { ...here.world.memory, epoch: here.world.memory.epoch + 1 };
  here.crash('db1');
  await until('another one takes writes', () => writable(here).length === 1);
  t.is(promotions(here).length, 1);
  t.deepEqual(here.world.violations, []);
});

test('the other one acts when the first has gone', async (t) => {
  const here = site();
  const [first, second] = [here.watch('watch@lb1'), here.watch('watch@lb2')];
  t.teardown(() => second.stop());
  await calm(here, first, second);
  await first.stop();
  t.false('watch@lb1' in (here.world.memory.watchers ?? {}));
  here.crash('db1');
  await until('another one takes writes', () => writable(here).length === 1);
  t.is(promotions(here)[0]?.who, 'watch@lb2');
});

test('whoever has the lock is waited for', async (t) => {
  const { here, watcher } = await watched(t);
  const release = here.holdLock({ who: 'op@laptop', purpose: 'promote db3' });
  here.crash('db1');
  await until('it waits', () => watcher.events.some(({ event }) => event === 'waiting'));
  t.regex(watcher.events.find(({ event }) => event === 'waiting')?.message ?? '', /op@laptop/);
  t.deepEqual(writable(here), []);
  await until('it asks for the lock', () => here.world.memory.wanted?.by === 'watch@lb1');
  release();
  await until('it acts', () => writable(here).length === 1);
  await until('and waits no more', () => here.world.memory.wanted === undefined);
});

for (const isOther of [false, true]) {
  test(`a server that does not start holds up no failover, ${isOther ? 'of another watch' : 'of the same watch'}`, async (t) => {
    const { here, watcher } = await watched(t);
    here.world.everythingArrives();
    here.unfenceHangs = true;
    here.crash('db1');
    await until('another one takes writes', () => writable(here).length === 1);
    const [second = ''] = writable(here);
    const starts = () =>
      watcher.events.filter(({ event, code }) => event === 'recovering' && code === 'FencedInstance');
    await until('the fenced one is being started', () => starts().length === 1);
    here.world.everythingArrives();
    here.world.memory = { ...here.world.memory, unacknowledged: undefined };
    if (isOther) {
      // It sees no dead primary, and is asked for the lock.
      here.world.memory = { ...here.world.memory, wanted: { by: 'watch@lb2', at: Date.now() } };
      await until('it gives way', () =>
        watcher.events.some(({ event, message }) => event === 'waiting' && /gives way/.test(message)),
      );
      const outcome = () =>
        [...here.entries.values()].find(({ kind, to }) => kind === 'rejoin' && to === 'db1')?.outcome;
      await until('it has ended', () => outcome() === 'undone');
      t.is(starts().length, 1, 'it leaves the lock to the other one');
      t.false(watcher.notifications.some(({ event }) => event === 'failed'));
      return;
    }
    here.crash(second);
    await until('the third one takes writes', () => writable(here).length === 1);
    t.not(writable(here)[0], second);
    nothingIsLost(t, here);
  });
}

test('a paused watch only tells', async (t) => {
  const { here, watcher } = await watched(t);
  here.world.memory = { ...here.world.memory, paused: { by: 'op', reason: 'moving the rack', at: 1 } };
  await until('it knows', () => watcher.events.some(({ code }) => code === 'RecoveriesPaused'));
  here.crash('db1');
  await until('it is refused', () => watcher.events.some(({ event }) => event === 'refused'));
  t.regex(watcher.events.find(({ event }) => event === 'refused')?.message ?? '', /moving the rack/);
  t.deepEqual(writable(here), []);
  here.world.memory = {
    ...here.world.memory,
    paused: { by: 'op', reason: 'moving the rack', at: 1, until: Date.now() },
  };
  await until('it acts when the pause is over', () => writable(here).length === 1);
});

test('a second failover waits until somebody has acknowledged the first', async (t) => {
  const { here, watcher } = await watched(t);
  here.world.memory = { ...here.world.memory, unacknowledged: { id: 'one', at: Date.now() - 60_000 } };
  // The model's clock stands still; its snapshots are not what this is about.
  here.crash('db1');
  await until('it is refused', () => watcher.events.some(({ event }) => event === 'refused'));
  t.regex(watcher.events.find(({ event }) => event === 'refused')?.message ?? '', /not acknowledged/);
  t.deepEqual(writable(here), []);
  here.world.memory = { ...here.world.memory, unacknowledged: undefined };
  await until('it acts', () => writable(here).length === 1);
  t.true(watcher.notifications.some(({ event }) => event === 'refused'));
});

test('a change that somebody left behind is taken back when nobody has the lock', async (t) => {
  const { here } = await watched(t);
  here.world.everythingArrives();
  here.world.node('db1').writable = false;
  here.world.memory = {
    ...here.world.memory,
    unfinished: { id: 'x', kind: 'switchover', from: 'db1', to: 'db2' },
  };
  await until('there is a primary', () => writable(here).length === 1);
  t.deepEqual(writable(here), ['db1']);
  await until('it is forgotten', () => here.world.memory.unfinished === undefined);
  t.is(here.world.memory.unacknowledged, undefined, 'no dead primary was replaced');
  here.crash('db1');
  await until('a primary that dies afterwards is replaced', () => writable(here).length === 1);
  t.is(here.world.memory.primary, writable(here)[0]);
});

test('a receiver that somebody stopped is started', async (t) => {
  const { here } = await watched(t);
  const { link } = here.world.node('db3');
  if (link) link.receiver = false;
  await until('it runs', () => here.world.node('db3').link?.receiver === true);
  t.deepEqual(writable(here), ['db1']);
});

test('a replica that dies is told of, and nothing else happens', async (t) => {
  const { here, watcher } = await watched(t);
  here.crash('db3');
  await until('it is told', () => watcher.events.some(({ code }) => code === 'UnreachableReplica'));
  t.deepEqual(writable(here), ['db1']);
  t.is(here.entries.size, 0);
});

test('a failover that a hook refuses is tried again, later each time, and told once', async (t) => {
  const { here, watcher } = await watched(t, { hooks: { 'before-failover': '/opt/hook' } });
  here.hooksFail = 'hook before-failover ended with status 1';
  here.crash('db1');
  const failures = () => watcher.events.filter(({ event }) => event === 'failed').length;
  await until('three attempts', () => failures() >= 3);
  const told = watcher.notifications.filter(({ event }) => event === 'detected' || event === 'failed');
  t.deepEqual(
    told.map(({ event }) => event),
    ['detected', 'failed'],
  );
  t.deepEqual(
    [...here.entries.values()].map(({ attempts }) => attempts),
    [undefined, 2],
  );
  here.hooksFail = undefined;
  await until('another one takes writes', () => writable(here).length === 1);
  nothingIsLost(t, here);
});
