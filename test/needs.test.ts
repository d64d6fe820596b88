import test from 'ava';

import { firstMissing, needsProgram, needsPython } from './needs.ts';

test('what is there is not missing, and what is not there is named with its remedy', (t) => {
  t.is(needsProgram('sh', 'dash'), undefined);
  t.is(
    needsProgram('oxlint', 'x'),
    'oxlint is not installed: apt-get install x',
    "npm's programs do not count",
  );
  t.regex(needsPython(['no_such_module'], 'python3-none') ?? '', /no_such_module.*python3-none/);
  t.is(firstMissing(undefined, 'one', 'two'), 'one');
  t.is(firstMissing(undefined, undefined), undefined);
});
