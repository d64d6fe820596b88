import type { ExecutionContext } from 'ava';

import { UserError } from '../../../src/lib/errors.ts';
import type { JournalEntry } from '../../../src/failover/coordination/records.ts';
import type { Coordination } from '../../../src/failover/coordination/coordination.ts';
import { EMPTY_MEMORY } from '../../../src/failover/coordination/empty-memory.ts';

/** Opens one more handle of the same cluster's coordination, as another process would have it. */
export type Open = () => Coordination;

export function entry(id: string, more: Partial<JournalEntry> = {}): JournalEntry {
  return {
    id,
    epoch: 1,
    at: 1_700_000_000_000,
    who: 'ann@laptop',
    kind: 'switchover',
    reason: 'maintenance',
    from: 'db1',
    to: 'db2',
    steps: [{ name: 'make-read-only', instance: 'db1', status: 'done', ms: 3 }],
    outcome: 'running',
    lostGtids: '',
    gtids: { db1: '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5' },
    ms: 12,
    ...more,
  };
}

export function handle(t: ExecutionContext, open: Open): Coordination {
  const coordination = open();
  t.teardown(() => coordination.close());
  return coordination;
}

/** What every kind of coordination keeps to. */
export function keepsTheContract(
  test: (title: string, body: (t: ExecutionContext) => Promise<void>) => void,
  setUp: (t: ExecutionContext) => Promise<Open>,
): void {
  test('one owner at a time: the second is refused and told who the first is', async (t) => {
    const open = await setUp(t);
    const [one, two] = [handle(t, open), handle(t, open)];
    t.is(await one.holder(), undefined);
    const lease = await one.acquire({ who: 'ann@laptop', purpose: 'promote db2' });
    const refusal = await t.throwsAsync(two.acquire({ who: 'bob@lb1', purpose: 'watch' }));
    t.true(refusal instanceof UserError);
    t.regex(refusal?.message ?? '', /ann@laptop is changing shop right now \(promote db2\)/);
    t.deepEqual(await two.holder(), { who: 'ann@laptop', purpose: 'promote db2' });
    await lease.confirm();
    t.false(lease.signal.aborted);
    await lease.release();
    t.is(await two.holder(), undefined);
    const next = await two.acquire({ who: 'bob@lb1', purpose: 'watch' });
    t.true(next.epoch > lease.epoch);
    await t.throwsAsync(lease.confirm(), {
      instanceOf: UserError,
      message: /the right to change shop was lost/,
    });
    await next.confirm();
    await next.release();
  });

  test('of many who want the lock at once one gets it, and every epoch is larger than the one before', async (t) => {
    const open = await setUp(t);
    const all = Array.from({ length: 5 }, () => handle(t, open));
    let last = 0;
    for (let round = 0; round < 4; round++) {
      const results = await Promise.allSettled(
        all.map((one, index) => one.acquire({ who: `racer ${index}`, purpose: 'race' })),
      );
      const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      t.is(won.length, 1);
      for (const result of results) {
        if (result.status === 'rejected') t.regex(String(result.reason), /right now/);
      }
      t.true(won[0]!.epoch > last);
      last = won[0]!.epoch;
      await won[0]!.confirm();
      await won[0]!.release();
    }
  });

  test('changes of the memory made at the same time are all there afterwards', async (t) => {
    const open = await setUp(t);
    const all = Array.from({ length: 4 }, () => handle(t, open));
    t.deepEqual(await all[0]!.memory(), EMPTY_MEMORY);
    await Promise.all(
      all.flatMap((one, index) =>
        [0, 1, 2].map((turn) =>
          one.remember((memory) => ({
            ...memory,
            downtimes: [
              ...memory.downtimes,
              { instance: `db${index}-${turn}`, until: 5, reason: 'disk', by: 'ann' },
            ],
          })),
        ),
      ),
    );
    const { downtimes } = await all[1]!.memory();
    t.deepEqual(
      downtimes.map((one) => one.instance).sort(),
      [0, 1, 2, 3].flatMap((index) => [0, 1, 2].map((turn) => `db${index}-${turn}`)),
    );
  });

  test('an epoch is larger than what the memory has seen, and a refused change leaves the memory alone', async (t) => {
    const open = await setUp(t);
    const one = handle(t, open);
    await one.remember((memory) => ({ ...memory, epoch: 41, primary: 'db2', rules: { db3: 'must_not' } }));
    await t.throwsAsync(
      one.remember(() => {
        throw new UserError('an older epoch');
      }),
      { message: 'an older epoch' },
    );
    const lease = await one.acquire({ who: 'ann', purpose: 'promote' });
    t.true(lease.epoch >= 42);
    await lease.release();
    t.deepEqual(await handle(t, open).memory(), {
      ...EMPTY_MEMORY,
      epoch: 41,
      primary: 'db2',
      rules: { db3: 'must_not' },
    });
  });

  test('the journal gives the newest first, and each entry as it was written last', async (t) => {
    const open = await setUp(t);
    const one = handle(t, open);
    t.deepEqual(await one.history(10), []);
    for (const id of ['a', 'b', 'c']) await one.write(entry(id));
    await one.write(entry('b', { outcome: 'done', ms: 90, message: 'größer' }));
    const two = handle(t, open);
    const found = await two.history(10);
    t.deepEqual(
      found.map(({ id, outcome }) => [id, outcome]),
      [
        ['c', 'running'],
        ['b', 'done'],
        ['a', 'running'],
      ],
    );
    t.deepEqual(found[1], entry('b', { outcome: 'done', ms: 90, message: 'größer' }));
    t.is((await two.history(2)).length, 2);
    // Another process ends what the first one left unfinished.
    await two.write(entry('a', { outcome: 'failed' }));
    t.is((await one.history(3))[2]?.outcome, 'failed');
  });
}
