import test from 'ava';
import fc from 'fast-check';

import { contains, count, intersect, isEmpty, noGtids, parseGtids, union } from '../../src/database/gtid.ts';

const UUIDS = ['a', 'b', 'c'].map((letter) => `${letter.repeat(8)}-0000-0000-0000-000000000000`);

test('the origins of a set are the servers that wrote it, whatever their tags and domains', (t) => {
  const [a, b] = UUIDS;
  t.deepEqual(parseGtids('mysql', `${a}:1-5:tag:1-3,${b}:7`).origins(), [a, b]);
  t.deepEqual(parseGtids('mariadb', '0-1-10,1-1-4,0-2-9,2-*-3').origins(), ['1', '2', '*']);
  t.deepEqual(noGtids('mysql').origins(), []);
  t.deepEqual(noGtids('mariadb').origins(), []);
});

test('what is kept of some origins is what they wrote, in every domain and with every tag', (t) => {
  const [a, b] = UUIDS;
  const mysql = parseGtids('mysql', `${a}:1-5:tag:1-3,${b}:7`);
  t.is(mysql.from((origin) => origin === a).toString(), `${a}:1-5:tag:1-3`);
  t.is(mysql.from((origin) => origin !== a).toString(), `${b}:7`);
  const mariadb = parseGtids('mariadb', '0-1-10,1-1-4,0-2-12..15');
  t.is(mariadb.from((origin) => origin === '1').toString(), '0-1-10,1-1-4');
  t.is(mariadb.from((origin) => origin === '2').toString(), '0-2-12..15');
  t.true(isEmpty(mariadb.from(() => false)));
});

test('a set is empty when it counts nothing, in both flavours', (t) => {
  for (const flavour of ['mysql', 'mariadb'] as const) {
    t.true(isEmpty(noGtids(flavour)));
    t.is(noGtids(flavour).toString(), '');
    t.is(count(noGtids(flavour)), 0);
  }
  t.true(isEmpty(parseGtids('mariadb', '0-1-0')));
  t.false(isEmpty(parseGtids('mysql', `${UUIDS[0]}:1`)));
});

test('a set is the union of what its origins wrote, and no two of them share anything', (t) => {
  const text = fc
    .array(
      fc.tuple(fc.constantFrom(...UUIDS), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 9 })),
    )
    .map((parts) => parts.map(([uuid, from, more]) => `${uuid}:${from}-${from + more}`).join(','));
  fc.assert(
    fc.property(text, (written) => {
      const set = parseGtids('mysql', written);
      const parts = set.origins().map((origin) => set.from((one) => one === origin));
      const whole = parts.reduce(union, noGtids('mysql'));
      t.true(contains(whole, set) && contains(set, whole));
      for (const [index, one] of parts.entries()) {
        for (const other of parts.slice(index + 1)) t.true(isEmpty(intersect(one, other)));
      }
    }),
  );
});
