import { readFileSync } from 'node:fs';

import test from 'ava';

import { parsePythonLiteral } from '../../src/inventory/python-literal.ts';
import { Float, isDict, isList, type Value } from '../../src/lib/value.ts';

/** Text of an INI inventory, and the value that Ansible gives it. */
const cases = JSON.parse(readFileSync(new URL('cases/literals.json', import.meta.url), 'utf8')) as readonly [
  string,
  unknown,
][];

for (const [text, value] of cases) {
  test(`${JSON.stringify(text)} is ${JSON.stringify(value)}`, (t) =>
    t.deepEqual(show(parsePythonLiteral(text)), value));
}

function show(value: Value): unknown {
  if (value instanceof Float)
    return { float: Number.isInteger(value.value) ? `${value.value}.0` : String(value.value) };
  if (isList(value)) return value.map(show);
  if (isDict(value)) return Object.fromEntries([...value].map(([key, item]) => [String(key), show(item)]));
  return value;
}
