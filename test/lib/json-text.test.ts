import test from 'ava';
import fc from 'fast-check';

import { floatText } from '../../src/lib/float-text.ts';
import { jsonText } from '../../src/lib/json-text.ts';
import { Float, fromPlain, type Value } from '../../src/lib/value.ts';

// What `json.dumps` of Python 3.11 gave.
const CASES: readonly (readonly [Value, string])[] = [
  [fromPlain({ a: 1 }), '{"a": 1}'],
  [fromPlain({ b: [1, true, null, 'é', {}], a: [] }), '{"b": [1, true, null, "\\u00e9", {}], "a": []}'],
  [fromPlain('\u0001\u2028😀\u007f"\\/'), '"\\u0001\\u2028\\ud83d\\ude00\\u007f\\"\\\\/"'],
  [new Float(2), '2.0'],
  [new Float(-0), '-0.0'],
  [new Float(1e16), '1e+16'],
  [new Float(1e15), '1000000000000000.0'],
  [new Float(-1002422769095518.1), '-1002422769095518.1'],
  [new Float(9999999999999998), '9999999999999998.0'],
  [new Float(1.5e-7), '1.5e-07'],
  [new Float(0.0001), '0.0001'],
  [new Float(Infinity), 'Infinity'],
  [new Float(NaN), 'NaN'],
  [123456789012345678901234567890n, '123456789012345678901234567890'],
  [
    new Map<Value, Value>([
      [1, 2],
      [null, 1],
      [true, 0],
      [new Float(1.5), 2],
    ]),
    '{"1": 2, "null": 1, "true": 0, "1.5": 2}',
  ],
];

for (const [value, expected] of CASES) {
  test(`JSON is written as Python writes it: ${expected}`, (t) => t.is(jsonText(value), expected));
}

test('what is written is read back as the same value', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) =>
      t.deepEqual(JSON.parse(jsonText(fromPlain(value))), JSON.parse(JSON.stringify(value))),
    ),
  );
});

test('a float is written with the digits that give it back', (t) => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (value) => {
      t.is(Number(floatText(value).replace(/^(-?)inf$/, '$1Infinity')), value);
    }),
  );
});
