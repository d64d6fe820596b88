import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { limiter } from '../../src/transport/limiter.ts';

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
