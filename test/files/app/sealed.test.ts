import test from 'ava';
import fc from 'fast-check';
import { isEqual, openText, sealText } from '../../../files/app/sealed.ts';

const text = fc.string().map((any) => Buffer.from(any).toString('base64url'));

test('sealed text opens to itself, with its own key and for its own purpose only', (t) => {
  fc.assert(
    fc.property(text, fc.string(), (plain, key) => {
      const sealed = sealText(plain, { purpose: 'one', key });
      t.is(openText(sealed, { purpose: 'one', key }), plain);
      t.is(openText(sealed, { purpose: 'two', key }), undefined);
      t.is(openText(sealed, { purpose: 'one', key: `${key}x` }), undefined);
    }),
  );
});

test('sealed text with any character changed, added or missing does not open', (t) => {
  const seal = { purpose: 'one', key: 'key' };
  const sealed = sealText('plain', seal);
  for (let at = 0; at < sealed.length; at++) {
    const other = sealed[at] === 'A' ? 'B' : 'A';
    t.is(openText(sealed.slice(0, at) + other + sealed.slice(at + 1), seal), undefined, String(at));
    t.is(openText(sealed.slice(0, at), seal), undefined, String(at));
  }
  for (const more of ['.', '.x', 'x']) t.is(openText(sealed + more, seal), undefined, more);
  for (const nothing of [undefined, '', '.', 'plain']) t.is(openText(nothing, seal), undefined);
});

test('texts are equal when they are the same, whatever their length', (t) => {
  fc.assert(fc.property(fc.string(), fc.string(), (one, other) => t.is(isEqual(one, other), one === other)));
  t.true(isEqual('', ''));
});
