import test from 'ava';

import { codeFrame } from '../../src/lib/code-frame.ts';
import { EXIT, formatProblem, UserError } from '../../src/lib/errors.ts';

test('a problem reads as place, sentence, frame and hint', (t) => {
  const source = 'one\ntwo\nthree\nfour\n';
  const location = { file: 'a.yml', line: 3, column: 2 };
  t.is(
    formatProblem({ message: 'no', location, frame: codeFrame(source, location), hint: 'yes' }),
    ['a.yml:3:2: no', '  2 | two', '> 3 | three', '    |  ^', '  4 | four', '  hint: yes'].join('\n'),
  );
});

test('line numbers of a frame are aligned', (t) => {
  const source = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`).join('\n');
  t.is(
    codeFrame(source, { file: 'a.yml', line: 9, column: 1 }),
    ['   8 | line 8', '>  9 | line 9', '     | ^', '  10 | line 10'].join('\n'),
  );
});

test('a frame at the file’s edge has no lines that are not there', (t) => {
  t.is(codeFrame('only', { file: 'a.yml', line: 1, column: 5 }), ['> 1 | only', '    |     ^'].join('\n'));
});

test('a user error holds all its problems and ends with a usage error', (t) => {
  const error = new UserError([{ message: 'first' }, { message: 'second' }]);
  t.is(error.message, 'first\nsecond');
  t.is(error.problems.length, 2);
  t.is(error.exitCode, EXIT.usage);
});

test('a user error may be one sentence, with an exit code and a cause of its own', (t) => {
  const cause = new Error('deeper');
  const error = new UserError('it failed', { cause, exitCode: EXIT.failed });
  t.deepEqual(error.problems, [{ message: 'it failed' }]);
  t.is(error.exitCode, EXIT.failed);
  t.is(error.cause, cause);
});
