import test from 'ava';
import fc from 'fast-check';

import { command } from '../../src/lib/shell.ts';
import { splitShellWords } from '../../src/lib/shell-words.ts';

/** As Python 3.11's shlex.split answers, without and with comments; a text is the problem. */
const CASES: readonly (readonly [
  line: string,
  words: readonly string[] | string,
  withComments?: readonly string[],
])[] = [
  ['', []],
  ['  a\t b\r\nc ', ['a', 'b', 'c']],
  ['a "" b', ['a', '', 'b']],
  ['a\'b\'"c"', ['abc']],
  [String.raw`a "b\c" "d\"e" "f\\"`, ['a', String.raw`b\c`, 'd"e', 'f\\']],
  [String.raw`'a\b' c\ d`, [String.raw`a\b`, 'c d']],
  ['a\\\nb', ['a\nb']],
  ['"a\\\nb"', ['a\\\nb']],
  ['a\u{a0}b a\vb', ['a\u{a0}b', 'a\vb']],
  ['a#b #c', ['a#b', '#c'], ['a']],
  ['"a # b" c # d', ['a # b', 'c', '#', 'd'], ['a # b', 'c']],
  ["it's", "a ' is not closed"],
  ['x "', 'a " is not closed'],
  ['a\\', 'a backslash stands at the end'],
];

for (const [line, words, withComments] of CASES) {
  test(`the words of ${JSON.stringify(line)}`, (t) => {
    const expected = typeof words === 'string' ? { problem: words } : words;
    t.deepEqual(splitShellWords(line), expected);
    t.deepEqual(splitShellWords(line, { comments: true }), withComments ?? expected);
  });
}

test('a quoted command line is cut into the words it was made of', (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom(...'ab \'"\\\t$x'), minLength: 1 })), (words) => {
      t.deepEqual(splitShellWords(command(words)), words);
    }),
  );
});
