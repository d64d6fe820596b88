import test from 'ava';

import { overlaps, serverIdOf } from '../../../src/failover/drill/invariants.ts';
import type { Site } from '../../../src/failover/drill/ground.ts';
import { firstAfter, reignsOf, tally, type Write, writeOf } from '../../../src/failover/drill/write.ts';

/** `a 10-15` is a write that a acknowledged; `a? 10-15` has no answer, `a! 10-15` was refused. */
function writes(...lines: readonly string[]): readonly Write[] {
  return lines.map((line, id) => {
    const [, by = '', mark, sentAt, endedAt] = /^(\w+)([?!]?) (\d+)-(\d+)$/.exec(line) ?? [];
    return {
      id,
      by,
      sentAt: Number(sentAt),
      endedAt: Number(endedAt),
      outcome: mark === '?' ? 'unknown' : mark === '!' ? 'refused' : 'acknowledged',
      error: mark === '' ? '' : 'ERROR',
    };
  });
}

const CASES: readonly {
  readonly title: string;
  readonly writes: readonly string[];
  readonly reigns: readonly string[];
}[] = [
  { title: 'one primary is one reign', writes: ['a 1-2', 'a 3-4'], reigns: ['a'] },
  { title: 'a change is two reigns', writes: ['a 1-2', 'b 3-4', 'b 5-6'], reigns: ['a', 'b'] },
  { title: 'there and back is three', writes: ['a 1-2', 'b 3-4', 'a 5-6'], reigns: ['a', 'b', 'a'] },
  {
    title: 'an answer that came late was committed before the change',
    writes: ['a 1-2', 'b 3-4', 'a 2-5', 'b 5-6'],
    reigns: ['a', 'b'],
  },
  {
    title: 'two that acknowledge in turns are two primaries at once',
    writes: ['a 1-2', 'b 3-4', 'a 5-6', 'b 7-8', 'a 9-10'],
    reigns: ['a', 'b', 'a', 'b', 'a'],
  },
];

for (const { title, writes: lines, reigns } of CASES) {
  test(`reigns: ${title}`, (t) => {
    t.deepEqual(
      reignsOf(writes(...lines)).map(({ by }) => by),
      [...reigns],
    );
  });
}

test('more reigns than changes are a violation, and name the instances', (t) => {
  const site = { instances: [{ name: 'db1', address: '10.0.0.1' }] } as unknown as Site;
  const id = serverIdOf('10.0.0.1');
  const both = writes(`${id} 1-2`, 'b 3-4', `${id} 5-6`);
  t.deepEqual(overlaps(site, both, 2), []);
  const [found] = overlaps(site, both, 1);
  t.is(found?.invariant, 'one-primary');
  t.regex(found?.message ?? '', /db1 1 .*, b 1 .*, db1 1/);
});

test('a tally counts outcomes and errors, and finds the longest gap among the accepted', (t) => {
  const found = tally(writes('a 0-10', 'a? 11-12', 'a! 13-14', 'a 15-110', 'b 111-120'));
  t.like(found, { acknowledged: 3, refused: 1, unknown: 1, gapMs: 100, gapFrom: 10, gapTo: 110 });
  t.deepEqual(found.errors, { ERROR: 2 });
});

test('bounds of a gap count although nothing was accepted at them', (t) => {
  t.is(tally(writes('a 0-10', 'a 11-20'), { sinceMs: 0, untilMs: 500 }).gapMs, 480);
  t.is(tally(writes('a 0-10', 'a 11-2000'), { sinceMs: 5, untilMs: 100 }).gapMs, 90);
});

test('recovery is the first write that was sent after the fault, not one that was answered late', (t) => {
  const found = writes('a 5-12', 'b 20-25', 'b 14-30');
  t.is(firstAfter(found, 10, undefined)?.endedAt, 25);
  t.is(firstAfter(found, 10, 'a')?.endedAt, 25);
});

test("the writer's lines are read as they are printed", (t) => {
  t.deepEqual(writeOf([7, 1.5, 2.5, 2, '9', 'ECONNRESET']), {
    id: 7,
    sentAt: 1.5,
    endedAt: 2.5,
    outcome: 'unknown',
    by: '9',
    error: 'ECONNRESET',
  });
});

test('a server_id is its address as a number', (t) => {
  t.is(serverIdOf('10.83.3.21'), '173212437');
  t.is(serverIdOf('db1.example.org'), '');
});
