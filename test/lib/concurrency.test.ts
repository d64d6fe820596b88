import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { limiter, mapLimit } from '../../src/lib/concurrency.ts';

test('no key ever has more work than the limit, and all work is done', async (t) => {
  const keys = fc.subarray(['a', 'b', 'c'], { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.array(keys, { maxLength: 20 }),
      async (limit, jobs) => {
        const limited = limiter(limit);
        const running = new Map<string, number>();
        const done = await Promise.allSettled(
          jobs.map((names, index) =>
            limited(names, async () => {
              for (const name of names) {
                running.set(name, (running.get(name) ?? 0) + 1);
                t.true((running.get(name) ?? 0) <= limit);
              }
              await turn();
              for (const name of names) running.set(name, (running.get(name) ?? 0) - 1);
              // Work that fails makes room as well.
              if (index % 3 === 0) throw new Error('failed');
            }),
          ),
        );
        t.is(done.length, jobs.length);
        t.deepEqual(done.filter((one) => one.status === 'rejected').length, Math.ceil(jobs.length / 3));
      },
    ),
    { numRuns: 50 },
  );
});

test('a list is worked through with no more at a time than the limit, and the results keep its order', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat({ max: 5 }), { maxLength: 20 }),
      async (limit, turns) => {
        let running = 0;
        const results = await mapLimit(turns, limit, async (count) => {
          running++;
          t.true(running <= limit);
          for (let index = 0; index < count; index++) await turn();
          running--;
          return count * 2;
        });
        t.deepEqual(
          results,
          turns.map((count) => count * 2),
        );
      },
    ),
    { numRuns: 50 },
  );
});
