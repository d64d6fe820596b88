import { readFileSync } from 'node:fs';

import test from 'ava';

import { UserError } from '../../src/lib/errors.ts';
import { toPlain } from '../../src/lib/value.ts';
import { separateKeyValues, splitKeyValues } from '../../src/playbook/free-form.ts';

const at = { file: 'playbook.yml', line: 3, column: 9 };

/** Free-form arguments, and what Ansible's parse_kv makes of them. */
const cases = JSON.parse(
  readFileSync(new URL('cases/key-values.json', import.meta.url), 'utf8'),
) as readonly {
  readonly text: string;
  readonly values: Record<string, string> | 'ERR';
}[];

for (const { text, values } of cases) {
  // Words without a key end in _raw_params there, which the modules that come here refuse.
  const isRefused = values === 'ERR' || '_raw_params' in values;
  test(`${JSON.stringify(text)} is ${isRefused ? 'refused' : 'split'} as by Ansible`, (t) => {
    if (isRefused) t.throws(() => splitKeyValues({ text, at }), { instanceOf: UserError });
    else t.deepEqual(toPlain(splitKeyValues({ text, at })), values);
  });
}

test('a mistake has its place', (t) => {
  const error = t.throws(() => splitKeyValues({ text: 'a=1 b', at }), { instanceOf: UserError });
  t.like(error.problems[0], { message: 'expected key=value, found "b"', location: at });
  const open = t.throws(() => splitKeyValues({ text: 'a="b', at }), { instanceOf: UserError });
  t.like(open.problems[0], { message: '" is missing in "a=\\"b"', location: at });
});

test('words without a key may be asked for apart', (t) => {
  const { values, rest } = separateKeyValues({ text: 'some file.yml a=1 x\\=y', at });
  t.deepEqual([...values], [['a', '1']]);
  t.deepEqual(rest, ['some', 'file.yml', 'x=y']);
});
