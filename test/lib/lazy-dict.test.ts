import test from 'ava';

import { LazyDict } from '../../src/lib/lazy-dict.ts';
import { isDict } from '../../src/lib/value.ts';

test('a lazy dictionary works out a value when it is asked for', (t) => {
  const asked: string[] = [];
  const dict = new LazyDict(
    () => ['a', 'b'],
    (key) => {
      asked.push(key);
      return key.toUpperCase();
    },
  );
  t.true(isDict(dict));
  t.true(dict.has('a'));
  t.false(dict.has('c'));
  t.is(dict.size, 2);
  t.deepEqual([...dict.keys()], ['a', 'b']);
  t.deepEqual(asked, []);
  t.is(dict.get('b'), 'B');
  t.deepEqual(asked, ['b']);
});

test('it is walked like any dictionary', (t) => {
  const dict = new LazyDict(
    () => ['a', 'b'],
    (key) => (key === 'a' ? 1 : undefined),
  );
  t.deepEqual(
    [...dict],
    [
      ['a', 1],
      ['b', null],
    ],
  );
  t.deepEqual([...dict.values()], [1, null]);
  const seen: unknown[] = [];
  for (const [key, value] of dict.entries()) seen.push(key, value);
  t.deepEqual(seen, ['a', 1, 'b', null]);
});

test('a key that is no text is not in it', (t) => {
  const dict = new LazyDict(
    () => ['1'],
    () => 'x',
  );
  t.is(dict.get(1), undefined);
  t.false(dict.has(1));
});
