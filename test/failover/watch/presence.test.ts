import test from 'ava';

import { EMPTY_MEMORY } from '../../../src/failover/coordination/empty-memory.ts';
import type { Memory } from '../../../src/failover/cluster/memory.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import {
  keepWatchers,
  olderWatchers,
  watchersOf,
  withPrimary,
} from '../../../src/failover/watch/presence.ts';
import { describe } from '../support/topology.ts';

/** What is remembered after a watch has said once that it is there; `seen` is what it saw. */
async function rememberedAfter(before: Memory, seen: Topology | undefined): Promise<Memory> {
  let memory = before;
  let during: Memory | undefined;
  const stop = new AbortController();
  await keepWatchers({
    coordination: {
      remember: async (change) => {
        memory = change(memory);
        during ??= memory;
        stop.abort();
      },
    },
    who: 'watch@lb1',
    signal: stop.signal,
    topology: () => seen,
    changed: async () => {},
  });
  if (during === undefined) throw new Error('nothing was said');
  if ('watch@lb1' in (memory.watchers ?? {})) throw new Error('it is gone, and still counts as there');
  return during;
}

const HEALTHY = ['db1 primary 1:1-100', 'db2 <db1 1:1-100'];

test('a watch says that it is there, and at the end that it is not', async (t) => {
  const memory = await rememberedAfter(
    { ...EMPTY_MEMORY, watchers: { 'watch@lb2': Date.now() - 60_000, 'watch@old': 0 } },
    undefined,
  );
  t.deepEqual(watchersOf(memory, Date.now()), { present: ['watch@lb1'], silent: ['watch@lb2'] });
});

test('the primary of a cluster that was never changed is remembered', async (t) => {
  const seen = describe({ instances: HEALTHY });
  const memory = await rememberedAfter({ ...EMPTY_MEMORY, epoch: 1 }, seen);
  t.is(memory.primary, 'db1');
  t.is(memory.lastSeen, undefined, 'semi-sync knows better what may be lost');
});

test('what a primary had when it was first seen is remembered once', async (t) => {
  const seen = describe({ instances: HEALTHY });
  const first = await rememberedAfter({ ...EMPTY_MEMORY, epoch: 1 }, seen);
  t.regex(first.began ?? '', /:1-100$/);
  const known = { ...EMPTY_MEMORY, epoch: 1, primary: 'db1' };
  t.is((await rememberedAfter({ ...known, began: 'before' }, seen)).began, 'before');
  t.regex((await rememberedAfter(known, seen)).began ?? '', /:1-100$/);
  t.is((await rememberedAfter({ ...known, primary: 'db2' }, seen)).began, undefined);
});

test('what a primary without semi-sync has is remembered: it is all that tells what is lost', async (t) => {
  const seen = describe({ instances: ['db1 primary 1:1-100 async', 'db2 <db1 1:1-100 async'] });
  const memory = await rememberedAfter({ ...EMPTY_MEMORY, epoch: 1 }, seen);
  t.regex(memory.lastSeen ?? '', /:1-100$/);
});

test('a replica that somebody has put back below the primary by hand counts as one of its own again', async (t) => {
  const instances = ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1 1:1-100', 'db4 <db2 1:1-100'];
  const known = { ...EMPTY_MEMORY, epoch: 1, primary: 'db1', below: { db3: 'db2', db4: 'db2' } };
  const memory = await rememberedAfter(known, { ...describe({ instances }), memory: known });
  t.deepEqual(memory.below, { db4: 'db2' });
});

test('which records a watch understands is remembered as long as the watch is', async (t) => {
  const watchers = { 'watch@lb2': Date.now() };
  const understands = { 'watch@gone': 1 };
  const memory = await rememberedAfter({ ...EMPTY_MEMORY, watchers, understands }, undefined);
  t.deepEqual(memory.understands, { 'watch@lb1': 1 });
  t.deepEqual(olderWatchers(memory, Date.now()), ['watch@lb2']);
});

test('a pause that is over is taken out of the memory, where older watches would stay paused', async (t) => {
  const paused = { by: 'ann@desk', reason: 'the rack', at: 0 };
  const after = async (until?: number) =>
    (await rememberedAfter({ ...EMPTY_MEMORY, paused: { ...paused, ...(until && { until }) } }, undefined))
      .paused;
  t.is(await after(Date.now() - 1), undefined);
  t.like(await after(Date.now() + 60_000), paused);
  t.like(await after(), paused);
});

test('a fenced instance that somebody has started by hand counts again', (t) => {
  const instances = ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 dead'];
  const known = {
    ...EMPTY_MEMORY,
    epoch: 1,
    primary: 'db1',
    fenced: ['db2', 'db3'],
    stopped: ['db2', 'db3'],
  };
  const seen = { ...describe({ instances }), memory: known };
  t.deepEqual(withPrimary(known, seen).fenced, ['db2', 'db3'], 'one look may be from before the fence');
  const twice = withPrimary(known, seen, seen);
  t.deepEqual([twice.fenced, twice.stopped], [['db3'], ['db3']]);
});

test('what was seen under another epoch, or in the middle of a change, is not remembered', async (t) => {
  const seen = describe({ instances: HEALTHY });
  t.is((await rememberedAfter({ ...EMPTY_MEMORY, epoch: 2 }, seen)).primary, undefined);
  const unfinished = { id: 'x', kind: 'switchover', from: 'db1', to: 'db2' } as const;
  t.is((await rememberedAfter({ ...EMPTY_MEMORY, epoch: 1, unfinished }, seen)).primary, undefined);
  const other = await rememberedAfter({ ...EMPTY_MEMORY, epoch: 1, primary: 'db2' }, seen);
  t.is(other.primary, 'db2', 'a change made another one the primary: that is told, not forgotten');
});
