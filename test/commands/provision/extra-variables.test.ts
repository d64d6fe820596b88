import test from 'ava';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parseExtraVariables } from '../../../src/commands/provision/extra-variables.ts';
import { UserError } from '../../../src/lib/errors.ts';
import { toPlain } from '../../../src/lib/value.ts';

const CASES: readonly (readonly [string, unknown])[] = [
  ['version=1.2', { version: '1.2' }],
  ['a=1 b=yes', { a: '1', b: 'yes' }],
  ['a="two words" b=\'and "more"\'', { a: 'two words', b: 'and "more"' }],
  ['a=x=y b=', { a: 'x=y', b: '' }],
  ['a="say \\"hi\\""', { a: 'say "hi"' }],
  // As ansible-core 2.14 reads them: with the splitter of free-form arguments.
  ['a={{ 1 + 1 }} b=3', { a: '{{ 1 + 1 }}', b: '3' }],
  [String.raw`a='it\'s' b=2`, { a: "it's", b: '2' }],
  ['a=x"y z"w', { a: 'x"y z"w' }],
  ['a="b"c', { a: '"b"c' }],
  [String.raw`a="\n" b=x\\y`, { a: '\n', b: String.raw`x\y` }],
  [' a=1   b=2 ', { a: '1', b: '2' }],
  ['{"a": 1, "b": [true, null]}', { a: 1, b: [true, null] }],
  ['{a: 1.5, b: {c: d}}', { a: 1.5, b: { c: 'd' } }],
  ['a: 1', { a: 1 }],
  ['', {}],
];

for (const [text, expected] of CASES) {
  test(`extra variables: ${text === '' ? 'none' : text}`, (t) => {
    t.deepEqual(toPlain(parseExtraVariables(text)), expected);
  });
}

for (const text of ['1a=2', 'word', 'a="open', "a=it's", 'a=1 b', '{a: ', '[1, 2]', '@/does/not/exist']) {
  test(`extra variables that make no sense are refused: ${text}`, (t) => {
    t.throws(() => parseExtraVariables(text), { instanceOf: UserError });
  });
}

test('extra variables come from a file too, and an error tells where in it', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'extra-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'vars.yml');
  writeFileSync(file, 'a: 1\nb:\n  - c\n');
  t.deepEqual(toPlain(parseExtraVariables(`@${file}`)), { a: 1, b: ['c'] });
  writeFileSync(file, 'a: 1\na: 2\n');
  const error = t.throws(() => parseExtraVariables(`@${file}`), { instanceOf: UserError });
  t.true(error.message.startsWith(`${file}:2:1: `), error.message);
});
