import test from 'ava';
import fc from 'fast-check';

import { expositionText } from '../../src/lib/exposition.ts';

test('a family is its help, its type and a line for each sample', (t) => {
  t.is(
    expositionText([
      {
        name: 'seen_total',
        type: 'counter',
        help: 'How often.',
        samples: [
          { labels: {}, value: 3 },
          { labels: { who: 'db1', what: 'a "b"\\c\nd' }, value: 0.25 },
        ],
      },
      { name: 'nothing', type: 'gauge', help: 'Nothing.', samples: [] },
    ]),
    [
      '# HELP seen_total How often.',
      '# TYPE seen_total counter',
      'seen_total 3',
      String.raw`seen_total{who="db1",what="a \"b\"\\c\nd"} 0.25`,
      '',
    ].join('\n'),
  );
});

for (const [value, text] of [
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
  [Number.NaN, 'NaN'],
  [1.5e-7, '1.5e-7'],
] as const) {
  test(`${value} is written as ${text}`, (t) => {
    const lines = expositionText([
      { name: 'x', type: 'gauge', help: 'X.', samples: [{ labels: {}, value }] },
    ]).split('\n');
    t.is(lines[2], `x ${text}`);
  });
}

test('whatever a label holds, a sample is one line that gives it back', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const text = expositionText([
        { name: 'x', type: 'gauge', help: 'X.', samples: [{ labels: { l: value }, value: 1 }] },
      ]);
      const lines = text.split('\n');
      t.is(lines.length, 4);
      const written = /^x\{l="(.*)"\} 1$/su.exec(lines[2] ?? '')?.[1] ?? 'none';
      const read = written.replaceAll(/\\(.)/gsu, (_, letter: string) => (letter === 'n' ? '\n' : letter));
      t.is(read, value);
    }),
  );
});
