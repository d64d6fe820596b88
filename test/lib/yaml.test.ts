import { readFileSync } from 'node:fs';

import test from 'ava';
import fc from 'fast-check';

import { UserError } from '../../src/lib/errors.ts';
import { type Dict, Float, fromPlain, isDict, toPlain, type Value } from '../../src/lib/value.ts';
import { parseYaml } from '../../src/lib/yaml.ts';

/** Text, Python type and Python repr, as PyYAML with Ansible's constructor gives them. */
const scalars = JSON.parse(
  readFileSync(new URL('cases/yaml-scalars.json', import.meta.url), 'utf8'),
) as readonly (readonly [text: string, type: string, shown: string])[];

for (const [text, type, shown] of scalars) {
  test(`the plain scalar ${text} is read as PyYAML reads it`, (t) => {
    const value = valueOf(`v: ${text}`);
    t.deepEqual(
      [typeOf(value), show(value)],
      [type === 'float' ? 'float' : type, shown === 'nan' ? 'NaN' : shown],
    );
  });
}

/** Text with lines that are less indented than the library wants, and what PyYAML reads. */
const indentations = JSON.parse(
  readFileSync(new URL('cases/yaml-indent.json', import.meta.url), 'utf8'),
) as readonly (readonly [text: string, read: { readonly value: unknown } | null])[];

for (const [text, read] of indentations) {
  test(`indentation within quotes and brackets: ${JSON.stringify(text)} is read as PyYAML reads it`, (t) => {
    if (read === null) t.throws(() => parseYaml(text, 'f.yml'), { instanceOf: UserError });
    else t.deepEqual(toPlain(parseYaml(text, 'f.yml').value), read.value);
  });
}

test('places are those of the text as it was written, whatever its indentation', (t) => {
  const text = 'a:\n  b: "{{\n  x\n}}"\n  c: {\n d: 1}\ne: 1\n';
  const document = parseYaml(text, 'f.yml');
  const value = document.value as Dict;
  const inner = value.get('a') as Dict;
  const places = [
    document.keyAt(inner, 'c'),
    document.valueAt(inner.get('c') as Dict, 'd'),
    document.keyAt(value, 'e'),
  ];
  t.deepEqual(
    places.map(({ line, column }) => [line, column]),
    [
      [5, 3],
      [6, 5],
      [7, 1],
    ],
  );
});

const documents: readonly (readonly [name: string, yaml: string, plain: unknown])[] = [
  ['quoted text stays text', 'v: "yes"', 'yes'],
  ['a tag makes text of a number', 'v: !!str 5', '5'],
  ['a tag makes a number of text', 'v: !!int "5"', 5],
  ['a block scalar keeps its lines', 'v: |\n  a\n  b\n', 'a\nb\n'],
  ['a date stays text', 'v: 2020-01-01 10:00:00', '2020-01-01 10:00:00'],
  ['an alias is what its anchor is', 'v: {a: &x [1], b: *x}', { a: [1], b: [1] }],
  ['merged keys are weaker than written ones', 'b: &b {x: 1, y: 2}\nv: {y: 3, <<: *b}', { x: 1, y: 3 }],
  ['of merged dictionaries the first wins', 'v: {<<: [{x: 1}, {x: 2, y: 2}]}', { x: 1, y: 2 }],
  ['unsafe text without markup is as it is', 'v: !unsafe plain', 'plain'],
  ['unsafe text with markup renders to itself', 'v: !unsafe "{{ x }}"', '{% raw %}{{ x }}{% endraw %}'],
  ['quoted text may go on after a tab', 'v: "a\n\tb"', 'a b'],
  ['a tab in a block scalar is content', 'v: |\n  \ta\n', '\ta\n'],
  ['a value may be missing', 'v:', null],
];

for (const [name, yaml, plain] of documents) {
  test(name, (t) => t.deepEqual(toPlain(valueOf(yaml)), plain));
}

test('keys keep their order and their types', (t) => {
  const { value } = parseYaml('b: 1\n10: 2\n2: 3\non: 4\n', 'f.yml');
  t.deepEqual([...(value as Dict).keys()], ['b', 10, 2, true]);
});

test('an empty file is nothing', (t) => {
  t.is(parseYaml('', 'f.yml').value, null);
  t.is(parseYaml('# only a comment\n', 'f.yml').value, null);
  t.is(parseYaml('---\n', 'f.yml').value, null);
});

test('every key, value and item has its place', (t) => {
  const document = parseYaml('a: 1\nlist:\n  - x\n  - {k: v}\nbase: &b\n  m: 1\nuse:\n  <<: *b\n', 'f.yml');
  const value = document.value as Dict;
  const place = ({ line, column }: { line: number; column: number }): string => `${line}:${column}`;
  const list = value.get('list') as readonly Value[];
  t.is(place(document.keyAt(value, 'list')), '2:1');
  t.is(place(document.valueAt(value, 'a')), '1:4');
  t.is(place(document.valueAt(list, 1)), '4:5');
  t.is(place(document.startOf(list[1] as Dict)), '4:5');
  t.is(place(document.keyAt(list[1] as Dict, 'k')), '4:6');
  t.is(place(document.keyAt(value.get('use') as Dict, 'm')), '6:3');
});

const mistakes: readonly (readonly [yaml: string, ...messages: string[]])[] = [
  ['a: 1\na: 2', 'f.yml:2:1: the key "a" is here twice; the first is on line 1'],
  ['a: {{ x }}', 'f.yml:1:5: a key must be a plain value'],
  ['a: 1\n---\nb: 2', 'f.yml:2:1: a second document starts here, but a file holds only one'],
  ['a: !vault |\n  x', 'f.yml:1:11: this is encrypted with Ansible Vault, and no password was given'],
  [
    '$ANSIBLE_VAULT;1.1;AES256\n3',
    'f.yml:1:1: this is encrypted with Ansible Vault, and no password was given',
  ],
  ['a: !foo b', 'f.yml:1:9: the tag !foo is not supported'],
  ['a: !!binary aGk=', 'f.yml:1:13: the tag !!binary is not supported'],
  ['a: &x [*x]', 'f.yml:1:8: "*x" stands inside what it refers to'],
  ['a: {<<: 5}', 'f.yml:1:5: expected a dictionary, or a list of dictionaries, to merge'],
  ['a:\n\tb: 1', 'f.yml:2:1: Tabs are not allowed as indentation'],
  [
    'a: 1\na: 2\nb: !foo c',
    'f.yml:2:1: the key "a" is here twice; the first is on line 1',
    'f.yml:3:9: the tag !foo is not supported',
  ],
];

for (const [yaml, ...messages] of mistakes) {
  test(`${JSON.stringify(yaml)} is refused with the places of all mistakes`, (t) => {
    t.deepEqual(problemsOf(yaml), messages);
  });
}

test('an alias without an anchor is refused', (t) => {
  t.true(problemsOf('a: *nope').some((problem) => problem.includes('nope')));
});

test('a syntax error shows the line and says what to do', (t) => {
  const error = t.throws(() => parseYaml('key: value: other\n', 'f.yml'), { instanceOf: UserError });
  t.is(
    error.message,
    [
      'f.yml:1:6: Nested mappings are not allowed in compact mappings',
      '> 1 | key: value: other',
      '    |      ^',
      '  2 |',
      '  hint: a value that contains ": " must be quoted; otherwise check the indentation',
    ].join('\n'),
  );
});

test('an unquoted template is told to be quoted', (t) => {
  const error = t.throws(() => parseYaml('msg: {{ name }} is here\n', 'f.yml'), { instanceOf: UserError });
  t.regex(error.message, /hint: a value that starts with \{\{ must be quoted/);
});

test('JSON is read as what it says', (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ noUnicodeString: true })), (object) => {
      const json = JSON.parse(JSON.stringify(object)) as unknown;
      t.deepEqual(
        withoutExponents(parseYaml(JSON.stringify(object), 'f.json').value),
        withoutExponents(fromPlain(json)),
      );
    }),
    { numRuns: 200 },
  );
});

function valueOf(yaml: string): Value {
  const { value } = parseYaml(yaml, 'f.yml');
  return isDict(value) ? (value.get('v') ?? null) : null;
}

function problemsOf(yaml: string): readonly string[] {
  try {
    parseYaml(yaml, 'f.yml');
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.map(
      ({ location, message }) => `${location?.file}:${location?.line}:${location?.column}: ${message}`,
    );
  }
}

function typeOf(value: Value): string {
  if (value === null) return 'null';
  if (value instanceof Float) return 'float';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'str' : 'int';
}

function show(value: Value): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (!(value instanceof Float)) return String(value);
  if (Number.isFinite(value.value))
    return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value);
  return Number.isNaN(value.value) ? 'NaN' : value.value < 0 ? '-inf' : 'inf';
}

/** YAML 1.1 has no numbers like 1e21: they are text. A number is compared as what JSON would print. */
function withoutExponents(value: Value): unknown {
  if (value instanceof Float || typeof value === 'number' || typeof value === 'bigint')
    return String(value instanceof Float ? value.value : value);
  if (Array.isArray(value)) return (value as readonly Value[]).map(withoutExponents);
  if (isDict(value)) return [...value].map(([key, item]) => [key, withoutExponents(item)]);
  return value;
}

for (const file of ['group_vars/all/vault.yml', 'secrets/db.yml', 'group_vars/all.yml']) {
  test(`${file} is told to be encrypted, and what to do`, (t) => {
    const whole = t.throws(() => parseYaml('$ANSIBLE_VAULT;1.1;AES256\n3061', file), {
      instanceOf: UserError,
    });
    t.regex(
      whole.message,
      /:1:1: this is encrypted with Ansible Vault.*\n.*hint: give --vault-password-file/,
    );
    const value = t.throws(() => parseYaml('a: !vault |\n  x3061', file), { instanceOf: UserError });
    t.regex(value.message, /:1:\d+: this is encrypted with Ansible Vault/);
    if (file !== 'group_vars/all.yml') t.notRegex(`${whole.message}${value.message}`, /3061/);
  });
}
