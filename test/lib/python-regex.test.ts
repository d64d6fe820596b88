import test from 'ava';

import { PatternError } from '../../src/lib/python-pattern.ts';
import { pythonRegex, substitute, toBytesText, toExtendedRegex } from '../../src/lib/python-regex.ts';

/** What Python 3.11 finds first, in text and in the bytes of its UTF-8 form; null when nothing. */
const PATTERNS: readonly (readonly [
  pattern: string,
  subject: string,
  found: string | null,
  inBytes?: string | null,
])[] = [
  [String.raw`^\s*foo\b`, '  foo=1\n', '  foo'],
  ['(?i)FOO', 'a foo', 'foo'],
  ['(?x) a  b # c', 'xab', 'ab'],
  ['bar$', 'bar\n', 'bar'],
  [String.raw`bar\Z`, 'bar\n', null],
  ['[]a]+', 'x]a]', ']a]'],
  ['a{,2}b', 'aaab', 'aab'],
  ['a{x}', 'a{x}', 'a{x}'],
  ['(?P<x>a)(?P=x)', 'baa', 'aa'],
  ['^.$', '\r', '\r'],
  ['a(?#comment)b', 'ab', 'ab'],
  [String.raw`\s`, '\u{a0}', '\u{a0}', null],
  [String.raw`\w+`, 'über', 'über', 'ber'],
  [String.raw`\W+`, 'ab-ü', '-', '-ü'],
  ['(?m)^b', 'a\nb', 'b'],
  [String.raw`[\S]+`, ' à ', 'à'],
  [String.raw`\bber`, 'über', null, 'ber'],
  [String.raw`^.`, 'ü', 'ü', '\xc3'],
  [String.raw`\d`, '٣', '٣', null],
  [String.raw`\x41\101\t`, 'AA\t', 'AA\t'],
];

const latin1 = (text: string | null): string | null =>
  text === null || text === '\xc3' ? text : toBytesText(text);

for (const [pattern, subject, found, inBytes = found] of PATTERNS) {
  test(`the pattern ${pattern} in ${JSON.stringify(subject)}`, (t) => {
    t.is(pythonRegex(pattern).search(subject)?.[0] ?? null, found);
    t.is(pythonRegex(pattern, { bytes: true }).search(toBytesText(subject))?.[0] ?? null, latin1(inBytes));
  });
}

test('a set of all but the classes of ASCII can be said for bytes alone', (t) => {
  t.is(pythonRegex(String.raw`[^\W\d]+`, { bytes: true }).search('12ab')?.[0], 'ab');
  t.throws(() => pythonRegex(String.raw`[^\W\d]+`), { instanceOf: PatternError });
});

test('a pattern can be asked any number of times', (t) => {
  const regex = pythonRegex('a+');
  for (let time = 0; time < 3; time++) {
    t.is(regex.search('baa')?.index, 1);
    t.is(regex.match('baa'), null);
    t.is(regex.match('aab')?.[0], 'aa');
    t.deepEqual(
      regex.all('aabab').map((match) => match[0]),
      ['aa', 'a'],
    );
  }
});

/** As Python's re.sub. */
const SUBSTITUTIONS: readonly (readonly [
  pattern: string,
  by: string,
  text: string,
  result: string,
  most?: number,
])[] = [
  [String.raw`(\w+)-(?P<n>\d+)`, String.raw`\2\g<n>\g<1>\t\\`, 'ab-12', '1212ab\t\\'],
  ['x*', '-', 'abxd', '-a-b--d-'],
  ['a', String.raw`\101\-`, 'a', String.raw`A\-`],
  ['(a)|b', String.raw`[\1]`, 'ab', '[a][]'],
  ['a', 'b', 'aaa', 'bba', 2],
];

for (const [pattern, by, text, result, most] of SUBSTITUTIONS) {
  test(`${pattern} replaced by ${by} in ${text}`, (t) => {
    t.is(substitute(pythonRegex(pattern), text, by, most).result, result);
    t.is(substitute(pythonRegex(pattern, { bytes: true }), text, by, most).result, result);
  });
}

const SCOPED: readonly (readonly [pattern: string, text: string, found: string | undefined])[] = [
  ['^(?i:foo)=', 'FOO=1', 'FOO='],
  ['(?i:f)oo', 'FOO', undefined],
  ['(?i)f(?-i:oo)', 'Foo', 'Foo'],
  ['(?i)f(?-i:oo)', 'FOO', undefined],
  ['(?s:a.)b.', 'a\nb\n', undefined],
  ['(?s:a.)b.', 'a\nbc', 'a\nbc'],
  ['(?m:^b)', 'a\nb', 'b'],
  ['(?:(?m:x)|)^b', 'a\nb', undefined],
];

for (const [pattern, text, found] of SCOPED) {
  test(`flags of a group end with it: ${pattern} in ${JSON.stringify(text)}`, (t) => {
    const { source, flags } = pythonRegex(pattern);
    t.is(new RegExp(source, flags).exec(text)?.[0], found);
    t.is(toExtendedRegex(pattern), undefined, 'POSIX has none');
  });
}

const WRONG: readonly (readonly [pattern: string, by: string, message: RegExp])[] = [
  ['(a', '', /is wrong/],
  ['a[b', '', /a set is never closed/],
  ['a\\', '', /ends with a backslash/],
  ['(?(1)a)', '', /the group "\(\?\(1" is not supported/],
  ['a++', '', /possessive quantifier/],
  ['a', String.raw`\q`, /bad escape \\q/],
  ['a', String.raw`\1`, /invalid group reference/],
  ['a', String.raw`\g<n>`, /invalid group reference/],
];

for (const [pattern, by, message] of WRONG) {
  test(`${pattern} replaced by ${by || 'nothing'} is refused`, (t) => {
    for (const bytes of [false, true])
      t.throws(() => substitute(pythonRegex(pattern, { bytes }), 'a', by), {
        instanceOf: PatternError,
        message,
      });
  });
}

test('what POSIX can say is put in its extended form', (t) => {
  t.is(toExtendedRegex(String.raw`\d+(?:a|b)\.`), String.raw`[0-9]+(a|b)\.`);
  t.is(toExtendedRegex('a+?'), undefined);
  t.is(toExtendedRegex('(?=a)'), undefined);
});
