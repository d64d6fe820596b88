import test from 'ava';
import fc from 'fast-check';

import {
  begun,
  type ChangeKind,
  finished,
  firstRecord,
  migrated,
  pruned,
  type Release,
  type ReleaseRecord,
  withRelease,
} from '../../src/release/record.ts';
import { rollbackTarget } from '../../src/release/rollback-target.ts';

function release(name: string): Release {
  return {
    name,
    digest: `digest of ${name}`,
    from: name === '1' ? { kind: 'site' } : { kind: 'folder', path: name },
    by: 'ann',
    at: 1,
    before: null,
  };
}

/** `deploy 2`, `deploy 3!` (it stops), `rollback`, `rollback 1`, `rollback!`. */
function after(words: readonly string[], record = firstRecord(release('1'))): ReleaseRecord {
  return words.reduce((now, words_, index) => {
    const stops = words_.endsWith('!');
    const [kind = '', name] = words_.replace('!', '').split(' ');
    const target = kind === 'deploy' ? (name ?? '') : rollbackTarget(now, name);
    const kept = kind === 'deploy' && !now.releases.some((one) => one.name === target);
    const began = begun(
      kept ? withRelease(now, release(target)) : now,
      { kind: kind as ChangeKind, release: target, by: 'ann', at: index },
      false,
    );
    return stops ? began : finished(began, index);
  }, record);
}

const CASES: readonly {
  readonly done: readonly string[];
  readonly current: string;
  readonly previous: string | null;
  /** What a rollback without a name would put back; null: nothing is known. */
  readonly back: string | null;
}[] = [
  { done: [], current: '1', previous: null, back: null },
  { done: ['deploy 2'], current: '2', previous: '1', back: '1' },
  { done: ['deploy 2', 'deploy 3'], current: '3', previous: '2', back: '2' },
  // What every server had served before is what is put back.
  { done: ['deploy 2!'], current: '1', previous: null, back: '1' },
  { done: ['deploy 2', 'deploy 3!'], current: '2', previous: '1', back: '2' },
  { done: ['deploy 2', 'deploy 3!', 'rollback'], current: '2', previous: '1', back: '1' },
  { done: ['deploy 2', 'deploy 3!', 'rollback!'], current: '2', previous: '1', back: '2' },
  // A repaired release over one that was left half done.
  { done: ['deploy 2', 'deploy 3!', 'deploy 4'], current: '4', previous: '2', back: '2' },
  // Twice back is two releases back, not forth again.
  { done: ['deploy 2', 'deploy 3', 'rollback'], current: '2', previous: '1', back: '1' },
  { done: ['deploy 2', 'deploy 3', 'rollback', 'rollback'], current: '1', previous: null, back: null },
  { done: ['deploy 2', 'deploy 3', 'rollback!'], current: '3', previous: '2', back: '2' },
  { done: ['deploy 2', 'deploy 3', 'rollback 1'], current: '1', previous: null, back: null },
  { done: ['deploy 2', 'rollback', 'deploy 2'], current: '2', previous: '1', back: '1' },
  { done: ['deploy 2', 'deploy 2'], current: '2', previous: '1', back: '1' },
  { done: ['deploy 2', 'deploy 1'], current: '1', previous: '2', back: '2' },
];

for (const { done, current, previous, back } of CASES) {
  test(`after ${done.join(', ') || 'nothing'}: ${current} is current, and ${back ?? 'nothing'} is before it`, (t) => {
    const record = after(done);
    t.is(record.current, current);
    t.is(record.previous, previous);
    if (back === null) t.throws(() => rollbackTarget(record, undefined), { message: /before 1/ });
    else t.is(rollbackTarget(record, undefined), back);
  });
}

test('a rollback to a release that is not kept names those that are', (t) => {
  const record = after(['deploy 2024-a', 'deploy 2024-b']);
  t.throws(() => rollbackTarget(record, '2024-c'), { message: /did you mean "2024-a" or "2024-b"/ });
  t.throws(() => rollbackTarget(record, 'elsewhere'), { message: /there are 1, 2024-a, 2024-b/ });
  t.throws(() => rollbackTarget(undefined, undefined), { message: /nothing was deployed/ });
});

test('a deploy that goes on does not migrate again, and one that begins anew does', (t) => {
  const record = migrated(after(['deploy 2!']));
  const change = { kind: 'deploy' as const, release: '2', by: 'bob', at: 9 };
  t.true(begun(record, change, true).unfinished?.migrated);
  t.false(begun(record, change, false).unfinished?.migrated);
  t.false(begun(record, { ...change, release: '1' }, true).unfinished?.migrated);
});

test('history says how each ended', (t) => {
  const { history } = after(['deploy 2', 'deploy 3!', 'rollback', 'deploy 4!']);
  t.deepEqual(
    history.map(({ kind, release: name, outcome }) => `${kind} ${name}: ${outcome}`),
    ['deploy 2: done', 'deploy 3: replaced', 'rollback 2: done', 'deploy 4: running'],
  );
});

test('what is forgotten is never the current, the previous or an unfinished release', (t) => {
  const word = fc
    .tuple(fc.constantFrom('deploy', 'rollback'), fc.integer({ min: 1, max: 6 }), fc.boolean())
    .map(([kind, name, stops]) => `${kind} ${name}${stops ? '!' : ''}`);
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), fc.integer({ min: 1, max: 4 }), (words, most) => {
      let record = firstRecord(release('1'));
      for (const one of words) {
        const [kind, name] = one.replace('!', '').split(' ');
        if (kind === 'rollback' && !record.releases.some((each) => each.name === name)) continue;
        const next = pruned(after([one], record), most);
        record = next.record;
        const names = record.releases.map((each) => each.name);
        for (const needed of [record.current, record.previous, record.unfinished?.release])
          if (typeof needed === 'string') t.true(names.includes(needed));
        t.true(names.length <= Math.max(most, 3));
        t.false(next.forgotten.some((each) => names.includes(each)));
        // Cut off here or not: one command is known to bring everybody to one release.
        if (record.unfinished?.kind === 'deploy')
          t.is(rollbackTarget(record, undefined), record.current ?? '');
      }
    }),
  );
});

test('one that was never served is forgotten before one that was', (t) => {
  const { record, forgotten } = pruned(after(['deploy 2', 'deploy 3!', 'rollback', 'deploy 4']), 3);
  t.deepEqual(
    record.releases.map(({ name }) => name),
    ['1', '2', '4'],
  );
  t.deepEqual(forgotten, ['3']);
});

test('of many, those that were deployed last are kept', (t) => {
  const { record, forgotten } = pruned(after(['deploy 2', 'deploy 3', 'deploy 4', 'deploy 5']), 3);
  t.deepEqual(
    record.releases.map(({ name }) => name),
    ['3', '4', '5'],
  );
  t.deepEqual(forgotten, ['1', '2']);
});
