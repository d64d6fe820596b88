import test from 'ava';

import { diffText, paintDiff, shownDiff } from '../../src/report/diff.ts';
import { palette } from '../../src/report/palette.ts';

const CASES = [
  {
    name: 'a changed line with its context',
    diff: { subject: '/etc/a', before: 'x\nold\ny\n', after: 'x\nnew\ny\n' },
    text: '--- before: /etc/a\n+++ after: /etc/a\n@@ -1,3 +1,3 @@\n x\n-old\n+new\n y\n',
  },
  {
    name: 'a file that is created without a newline at its end',
    diff: { subject: '/etc/a', before: '', after: 'new' },
    text: '--- before: /etc/a\n+++ after: /etc/a\n@@ -0,0 +1,1 @@\n+new\n\\ No newline at end of file\n',
  },
  {
    name: 'a file that only loses the newline at its end',
    diff: { subject: '/etc/a', before: 'x\n', after: 'x' },
    text: '--- before: /etc/a\n+++ after: /etc/a\n@@ -1,1 +1,1 @@\n-x\n+x\n\\ No newline at end of file\n',
  },
  {
    name: 'something that is no file, where newlines mean nothing',
    diff: { subject: 'package nginx', before: 'absent', after: '1.26' },
    text: '--- before: package nginx\n+++ after: package nginx\n@@ -1,1 +1,1 @@\n-absent\n+1.26\n',
  },
  {
    name: 'binary content by its size',
    diff: { subject: '/a.png', before: '', after: 'PNG\0\u00e9' },
    text: '--- before: /a.png\n+++ after: /a.png\nBinary content differs: 0 bytes before, 6 bytes after\n',
  },
  { name: 'nothing for equal content', diff: { subject: '/a', before: 'x', after: 'x' }, text: '' },
];

for (const { name, diff, text } of CASES) {
  test(`a diff shows ${name}`, (t) => {
    t.is(diffText(diff), text);
  });
}

test('a diff of thousands of different lines is summarised, and quickly', (t) => {
  const lines = (word: string): string => Array.from({ length: 50_000 }, (_, n) => `${word} ${n}\n`).join('');
  const started = performance.now();
  const text = diffText({ subject: '/big', before: lines('old'), after: lines('new') });
  t.regex(text, /Too different to compare: 50000 lines before, 50000 lines after\n$/);
  t.true(performance.now() - started < 20_000);
});

test('a secret is gone before the sides are compared', (t) => {
  const clean = (text: string): string => text.replaceAll(/pass\w+/g, '[REDACTED]');
  t.is(
    shownDiff({ subject: '/etc/a', before: 'passold\n', after: 'passnew\n' }, clean),
    '/etc/a: differs only in what is not shown',
  );
});

test('a painted diff is the same text', (t) => {
  const text = diffText({ subject: '/a', before: 'x\ny\n', after: 'x\nz' });
  const painted = paintDiff(text, palette(true));
  t.not(painted, text);
  // eslint-disable-next-line no-control-regex
  t.is(painted.replaceAll(/\x1b\[\d+m/g, ''), text);
  t.is(paintDiff(text, palette(false)), text);
});
