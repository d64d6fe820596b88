import test from 'ava';
import fc from 'fast-check';

import { Float, fromPlain, isDict, isList, toPlain } from '../../src/lib/value.ts';

test('plain data survives the way to a value and back', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const plain = JSON.parse(JSON.stringify(json)) as unknown;
      t.deepEqual(toPlain(fromPlain(plain)), plain);
    }),
  );
});

test('a number with a fraction becomes a float, a whole one does not', (t) => {
  t.deepEqual(fromPlain(1.5), new Float(1.5));
  t.is(fromPlain(2), 2);
  t.is(toPlain(new Float(1)), 1);
});

test('what is undefined is nothing, and a key with it is left out', (t) => {
  t.is(fromPlain(undefined), null);
  t.deepEqual(fromPlain({ a: undefined, b: null }), new Map([['b', null]]));
});

test('dictionaries and lists are told apart', (t) => {
  t.true(isDict(new Map()) && !isDict([]) && !isDict({}) && !isDict(null));
  t.true(isList([]) && !isList(new Map()) && !isList('text'));
});

test('a key of any type becomes text in plain data', (t) => {
  t.deepEqual(
    toPlain(
      new Map<number | boolean, string>([
        [1, 'a'],
        [true, 'b'],
      ]),
    ),
    { '1': 'a', true: 'b' },
  );
});

test('what is no value is a mistake of ours', (t) => {
  t.throws(() => fromPlain(() => {}), { instanceOf: TypeError });
});
