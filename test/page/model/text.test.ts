import test from 'ava';

import { counted, pieces, shortGtids, span } from '../../../src/page/model/text.ts';

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const B = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';

for (const [gtids, short] of [
  ['', 'none'],
  [`${A}:1-5021`, '3e11fa47:5021'],
  [`${A}:7`, '3e11fa47:7'],
  [`${A}:1-3:5-9`, '3e11fa47:9'],
  [`${A}:1-3,\n${B}:1-900`, 'aaaaaaaa:900 +1'],
  // A tag of MySQL 8.3 and later stands between.
  [`${A}:1-3:nightly:1-8`, '3e11fa47:8'],
  ['0-1-5021', '0-1-5021'],
  ['0-1-5021,1-2-7', '0-1-5021,1-2-7'],
] as const) {
  test(`GTIDs in short: ${JSON.stringify(gtids)}`, (t) => {
    t.is(shortGtids(gtids), short);
  });
}

test('what can be typed and when it was are told from the words around them', (t) => {
  t.deepEqual(pieces('paused until 2026-11-29T10:00:00.000Z: `failover resume`, or wait'), [
    { kind: 'words', text: 'paused until ' },
    { kind: 'time', text: '2026-11-29T10:00:00.000Z' },
    { kind: 'words', text: ': ' },
    { kind: 'code', text: 'failover resume' },
    { kind: 'words', text: ', or wait' },
  ]);
  t.deepEqual(pieces(''), []);
});

test('numbers have their nouns, and times their units', (t) => {
  t.deepEqual(
    [counted(0, 'request'), counted(1, 'request'), counted(2, 'request')],
    ['0 requests', '1 request', '2 requests'],
  );
  t.deepEqual([12, 999, 1500, 60_000, 7_200_000].map(span), ['12 ms', '999 ms', '1.5 s', '1 min', '2 h']);
});
