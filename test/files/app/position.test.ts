import test from 'ava';
import fc from 'fast-check';
import { openPosition, sealPosition } from '../../../files/app/position.ts';

const gtid = fc.oneof(
  fc.tuple(fc.uuid(), fc.nat()).map(([uuid, number]) => `${uuid}:${number}`),
  fc.tuple(fc.nat(9), fc.nat(9), fc.nat()).map((parts) => parts.join('-')),
);

test('a sealed position opens to itself', (t) => {
  fc.assert(
    fc.property(gtid, fc.string(), (text, key) => {
      t.deepEqual(openPosition(sealPosition({ kind: 'gtid', gtid: text }, key), key), {
        kind: 'gtid',
        gtid: text,
      });
    }),
  );
  t.deepEqual(openPosition(sealPosition({ kind: 'primary' }, 'k'), 'k'), { kind: 'primary' });
});

test('a position that another key sealed does not open', (t) => {
  fc.assert(
    fc.property(gtid, (text) => {
      t.is(openPosition(sealPosition({ kind: 'gtid', gtid: text }, 'one'), 'two'), undefined);
    }),
  );
});

test('a changed position does not open', (t) => {
  const sealed = sealPosition({ kind: 'gtid', gtid: '978fa68f-e6f1-11f1-abf8-0261b6b999c2:7' }, 'key');
  t.is(openPosition(sealed.replace(':7.', ':8.'), 'key'), undefined);
  t.is(openPosition(sealed.slice(0, -1), 'key'), undefined);
});

for (const value of [undefined, '', '.', 'primary', 'a b.c', "x'; DROP TABLE messages.abc"]) {
  test(`${JSON.stringify(value)} is no position`, (t) => {
    t.is(openPosition(value, 'key'), undefined);
  });
}
