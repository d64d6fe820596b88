import test from 'ava';

import { TapReader } from '../../scripts/tap.ts';

test('TAP becomes lines for people, and true numbers', (t) => {
  const reader = new TapReader();
  const lines = [
    'TAP version 13',
    'ok 1 - a › works',
    'not ok 2 - a › fails',
    '  ---',
    '    name: AssertionError',
    '    message: ok 3 - not a result',
    '  ...',
    'ok 3 - a › later # SKIP',
    '# a log line',
    '',
    '1..3',
    '# tests 3',
    '# pass 1',
    '# skip 1',
    '# fail 1',
  ];
  t.deepEqual(
    lines.map((line) => reader.read(line)).filter((line) => line !== undefined),
    [
      '  ✔ a › works',
      '  ✖ a › fails',
      '        name: AssertionError',
      '        message: ok 3 - not a result',
      '  - a › later (skipped)',
      '# a log line',
    ],
  );
  t.deepEqual(reader.tally, { passed: 1, failed: 1, skipped: 1 });
  t.deepEqual(reader.failures, ['a › fails']);
});
