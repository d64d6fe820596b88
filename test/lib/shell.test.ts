import { execFileSync } from 'node:child_process';

import test from 'ava';
import fc from 'fast-check';

import { command, quote } from '../../src/lib/shell.ts';

const cases: readonly (readonly [word: string, quoted: string])[] = [
  ['plain', 'plain'],
  ['/etc/a.b-c_d=e:f,g@h%i+j', '/etc/a.b-c_d=e:f,g@h%i+j'],
  ['', "''"],
  ['a b', "'a b'"],
  ["it's", `'it'\\''s'`],
  ['$HOME', "'$HOME'"],
  ['~', "'~'"],
  ['*', "'*'"],
  ['a\nb', "'a\nb'"],
];

for (const [word, quoted] of cases) {
  test(`${JSON.stringify(word)} is quoted as ${JSON.stringify(quoted)}`, (t) => t.is(quote(word), quoted));
}

test('a NUL byte cannot be quoted', (t) => {
  t.throws(() => quote('a\0b'), { instanceOf: RangeError });
});

test('a shell reads back the words that were quoted', (t) => {
  const word = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), (words) => {
      const script = `for word in ${command(words)}; do printf '%s\\0' "$word"; done`;
      const out = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
      t.deepEqual(out.split('\0').slice(0, -1), words);
    }),
    { numRuns: 30 },
  );
});
