import test from 'ava';

import { didYouMean, similarWords } from '../../src/lib/similar.ts';

const known = ['when', 'with_items', 'become', 'become_user', 'notify', 'name'];

const cases: readonly (readonly [word: string, ...similar: string[]])[] = [
  ['whne', 'when'],
  ['nmae', 'name'],
  ['becmoe', 'become'],
  ['notfy', 'notify'],
  ['becomeuser', 'become_user'],
  ['Notify', 'notify'],
  ['copy'],
  ['x'],
];

for (const [word, ...similar] of cases) {
  test(`"${word}" resembles ${similar.join(', ') || 'nothing'}`, (t) =>
    t.deepEqual(similarWords(word, known), similar));
}

test('the nearest comes first, and each once', (t) => {
  t.deepEqual(similarWords('web11', ['web12', 'web1', 'web', 'web11', 'web12']), ['web11', 'web12', 'web1']);
});

test('a question names what is near, or is not asked', (t) => {
  t.is(didYouMean('whne', known), 'did you mean "when"?');
  t.is(didYouMean('aptitude', known), undefined);
});
