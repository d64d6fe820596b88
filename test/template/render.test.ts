import test from 'ava';

import { LazyDict } from '../../src/lib/lazy-dict.ts';
import { UserError } from '../../src/lib/errors.ts';
import { SecretRegistry } from '../../src/lib/secret.ts';
import { Float, fromPlain, type Value } from '../../src/lib/value.ts';
import type { TemplateEnvironment, VariableSource } from '../../src/template/environment.ts';
import { isUndefinedError, TemplateError } from '../../src/template/error.ts';
import {
  check,
  evaluate,
  isTemplate,
  isTruthy,
  references,
  renderString,
  renderTemplate,
} from '../../src/template/render.ts';
import { sourceOf } from './cases.ts';

const origin = { file: 'site.yml', line: 7, column: 12 };

function environment(more: Partial<TemplateEnvironment> = {}): TemplateEnvironment {
  return { secrets: new SecretRegistry(), ...more };
}

function failure(run: () => unknown): TemplateError {
  try {
    run();
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
  throw new Error('no error was thrown');
}

test('a text without markup is not a template', (t) => {
  t.false(isTemplate('plain } text { % with # signs'));
  for (const text of ['{{ x }}', 'a {% if %}', '{# c #}', '#jinja2: trim_blocks:False\n'])
    t.true(isTemplate(text), text);
});

test("a value's truth is Python's", (t) => {
  const falsy: Value[] = [null, false, 0, new Float(0), '', [], new Map()];
  for (const value of falsy) t.false(isTruthy(value));
  const truthy: Value[] = [true, 1, -1, new Float(0.1), 'no', '0', [null], new Map([['a', null]])];
  for (const value of truthy) t.true(isTruthy(value));
});

test('an error tells the place in the file, in a string that starts in the middle of a line', (t) => {
  const error = failure(() => renderString('a {{ nope }}', sourceOf({}), environment(), origin));
  t.deepEqual(error.problems[0]?.location, { file: 'site.yml', line: 7, column: 17 });
  t.is(error.kind, 'undefined');
  t.is(error.variable, 'nope');
});

test('an error tells the place in the file, on a later line of a block of text', (t) => {
  const error = failure(() => renderString('a\nbb {{ nope }}', sourceOf({}), environment(), origin));
  t.deepEqual(error.problems[0]?.location, { file: 'site.yml', line: 8, column: 18 });
});

test('a value that a filter did not find is told at the filter', (t) => {
  const error = failure(() => renderString('a {{ [] | first }}', sourceOf({}), environment(), origin));
  t.deepEqual([error.kind, error.problems[0]?.location?.column], ['undefined', 22]);
});

test('an error tells the place in a template file, with the lines around it', (t) => {
  const source = 'one\n{% for i in [1] %}\n  {{ i.x.y }}\n{% endfor %}\n';
  const error = failure(() =>
    renderTemplate(source, sourceOf({}), environment(), { origin: { file: 'a.j2', line: 1, column: 1 } }),
  );
  t.deepEqual(error.problems[0]?.location, { file: 'a.j2', line: 3, column: 8 });
  t.regex(error.problems[0]?.frame ?? '', /> 3 \| {3}\{\{ i\.x\.y \}\}/);
});

test('the header of a template changes its delimiters, and places stay right', (t) => {
  const source =
    "#jinja2: variable_start_string:'[%', variable_end_string:'%]', trim_blocks:False\nx [% a %] {{ a }}\n{% if 1 %}\nb{% endif %}\n";
  t.is(renderTemplate(source, sourceOf({ a: 1 }), environment()), 'x 1 {{ a }}\n\nb\n');
  const error = failure(() =>
    renderTemplate(source, sourceOf({}), environment(), { origin: { file: 'a.j2', line: 1, column: 1 } }),
  );
  t.deepEqual(error.problems[0]?.location, { file: 'a.j2', line: 2, column: 6 });
  const wrong = failure(() => renderTemplate('#jinja2: trim:True\n', sourceOf({}), environment()));
  t.regex(wrong.message, /no key "trim"/);
});

test('an error in an included template tells the place there', (t) => {
  const loads = environment({ loadTemplate: (name) => ({ source: 'a\n{{ nope }}', file: `/t/${name}` }) });
  const error = failure(() => renderTemplate("{% include 'x.j2' %}", sourceOf({}), loads, { origin }));
  t.deepEqual(error.problems[0]?.location, { file: '/t/x.j2', line: 2, column: 4 });
});

test('a variable whose own template misses something counts as undefined, and the message names both', (t) => {
  const variables: VariableSource = {
    get: (name) =>
      name === 'outer'
        ? renderString('{{ inner }}', { get: () => undefined, names: () => [] }, environment(), origin)
        : undefined,
    names: () => ['outer'],
  };
  t.is(renderString("{{ outer | default('d') }}", variables, environment()), 'd');
  t.is(evaluate('outer is defined', variables, environment()), false);
  const error = failure(() =>
    renderString('{{ outer }}', variables, environment(), { file: 'other.yml', line: 1, column: 1 }),
  );
  t.true(isUndefinedError(error));
  t.regex(error.message, /site\.yml:7:15: 'inner' is undefined \(while rendering 'outer'\)/);
});

test('any other error in a variable is passed on with the chain', (t) => {
  const variables: VariableSource = {
    get: () => renderString('{{ 1 / 0 }}', { get: () => undefined, names: () => [] }, environment(), origin),
    names: () => ['outer'],
  };
  const error = failure(() => renderString("{{ outer | default('d') }}", variables, environment()));
  t.is(error.kind, 'runtime');
  t.regex(error.message, /division by zero \(while rendering 'outer'\)/);
});

test('what was made of a secret is a secret', (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['{{ password | b64encode }}', 'aHVudGVyMjI='],
    ['{{ password ~ "x" }}', 'hunter22x'],
    ['{{ password + "x" }}', 'hunter22x'],
    ['{{ "%s!" % password }}', 'hunter22!'],
    ['{{ password[:6] }}', 'hunter'],
    ['{{ password.upper() }}', 'HUNTER22'],
    ['{{ "{}-{}".format("a", password) }}', 'a-hunter22'],
    ['user:{{ password }}', 'user:hunter22'],
    ['{{ (account.password) | upper }}', 'HUNTER22'],
    ['{{ account | to_json }}', '{"user": "bob", "password": "hunter22"}'],
    ['{% set x %}a {{ password }}{% endset %}{{ x | lower }}', 'a hunter22'],
    ['{% for a in [account] %}{{ a.password | replace("2", "3") }}{% endfor %}', 'hunter33'],
  ];
  for (const [template, made] of cases) {
    const known = environment();
    known.secrets.add('hunter22');
    const variables = sourceOf({ password: 'hunter22', account: { user: 'bob', password: 'hunter22' } });
    t.is(renderString(template, variables, known), made);
    t.true(known.secrets.has(made), template);
  }
});

test('what stands beside a secret is not one', (t) => {
  const known = environment();
  known.secrets.add('hunter22');
  const variables = sourceOf({ account: { user: 'robert', password: 'hunter22' }, password: 'hunter22' });
  t.is(renderString('{{ account.user | upper }}', variables, known), 'ROBERT');
  t.is(renderString("{{ 'enabled' if password == 'x' else 'disabled' }}", variables, known), 'disabled');
  t.is(
    renderString("{{ account | dict2items | map(attribute='key') | join('-') }}", variables, known),
    'user-password',
  );
  for (const harmless of ['ROBERT', 'disabled', 'user-password'])
    t.false(known.secrets.has(harmless), harmless);
});

test('lookup joins what query lists, by its short name', (t) => {
  const calls: unknown[] = [];
  const looks = environment({
    lookup(name, terms, options) {
      calls.push([name, terms, [...options]]);
      return terms;
    },
  });
  const variables = sourceOf({});
  t.is(renderString("{{ lookup('ansible.builtin.env', 'A', default='x') }}", variables, looks), 'A');
  t.is(renderString("{{ lookup('env', 'A', 'B') }}", variables, looks), 'A,B');
  t.deepEqual(renderString("{{ query('env', 'A') }}", variables, looks), ['A']);
  t.deepEqual(renderString("{{ lookup('env', 1, 2) }}", variables, looks), [1, 2]);
  t.deepEqual(renderString("{{ lookup('env', 'A', wantlist=true) }}", variables, looks), ['A']);
  t.deepEqual(calls[0], ['env', ['A'], [['default', 'x']]]);
});

test("a lookup's own error is told at its place, unless errors are to be ignored", (t) => {
  const looks = environment({
    lookup() {
      throw new UserError('lookup file: there is no x');
    },
  });
  const error = failure(() => renderString("a {{ lookup('file', 'x') }}", sourceOf({}), looks, origin));
  t.regex(error.message, /site\.yml:7:17: lookup file: there is no x/);
  t.is(renderString("{{ lookup('file', 'x', errors='ignore') }}", sourceOf({}), looks), null);
});

test('an error that is not about the template comes through as it is', (t) => {
  class NotYet extends Error {}
  const looks = environment({
    lookup() {
      throw new NotYet('later');
    },
  });
  t.throws(() => renderString("{{ lookup('pipe', 'x') }}", sourceOf({}), looks), { instanceOf: NotYet });
});

test('a dictionary worked out on demand is asked only for what is read', (t) => {
  const asked: string[] = [];
  const lazy = new LazyDict(
    () => ['a', 'b'],
    (key) => {
      asked.push(key);
      return key === 'a' ? 1 : undefined;
    },
  );
  const variables: VariableSource = {
    get: (name) => (name === 'hostvars' ? lazy : undefined),
    names: () => ['hostvars'],
  };
  t.is(renderString('{{ hostvars.a + hostvars["a"] }}', variables, environment()), 2);
  t.is(renderString('{{ hostvars }}', variables, environment()), lazy);
  t.deepEqual(asked, ['a', 'a']);
  t.is(renderString('{{ hostvars.b | default("none") }}', variables, environment()), 'none');
});

test('variables keep their lists whatever a template does', (t) => {
  const list = fromPlain([3, 1, 2]);
  const variables: VariableSource = { get: (name) => (name === 'l' ? list : undefined), names: () => ['l'] };
  renderString(
    '{{ l | sort }}{% set x = l + [] %}{% do x.append(1) %}{{ (l | list).append(4) }}',
    variables,
    environment(),
  );
  t.throws(() => renderString('{% do l.append(1) %}', variables, environment()), {
    instanceOf: TemplateError,
  });
  t.deepEqual(list, [3, 1, 2]);
});

test('now() uses the given clock', (t) => {
  const fixed = environment({ now: () => new Date(Date.UTC(2024, 1, 29, 12, 30, 15)) });
  t.is(renderString("{{ now(utc=true, fmt='%Y-%m-%d') }}", sourceOf({}), fixed), '2024-02-29');
  t.is(
    renderString('{{ now(utc=true).year }} {{ now(true).isoformat() }}', sourceOf({}), fixed),
    '2024 2024-02-29T12:30:15',
  );
  t.is(renderString("{{ '%H:%M' | strftime(utc=true) }}", sourceOf({}), fixed), '12:30');
});

test('the names a template reads are those it does not define itself', (t) => {
  const cases: readonly (readonly [string, 'string' | 'expression' | 'template', readonly string[]])[] = [
    ['{{ a }} {{ b.c[d] | default(e) }}', 'string', ['a', 'b', 'd', 'e']],
    ['a in b and c is version(d)', 'expression', ['a', 'b', 'c', 'd']],
    ['{% for x in xs if x > y %}{{ x }}{{ loop.index }}{% endfor %}', 'template', ['xs', 'y']],
    ['{% set x = a %}{{ x }}{% if c %}{% set z = 1 %}{% endif %}{{ z }}', 'template', ['a', 'c', 'z']],
    [
      '{% macro m(p, q=d) %}{{ p }}{{ q }}{{ r }}{{ caller() }}{% endmacro %}{{ m(s) }}',
      'template',
      ['d', 'r', 's'],
    ],
    ["{{ lookup('env', n) }}{{ range(3) }}{{ now() }}", 'string', ['n']],
    ['no markup', 'string', []],
  ];
  for (const [source, kind, names] of cases)
    t.deepEqual([...references(source, kind)].sort(), [...names], source);
});

test('checking finds every unknown filter and test at once, without variables', (t) => {
  const problems = check('{{ a | nope }}\n{{ b is neither }}{{ c | upper }}', 'string', origin);
  t.deepEqual(
    problems.map(({ message, location }) => [message, location?.line, location?.column]),
    [
      ['unknown filter "nope"', 7, 19],
      ['unknown test "neither"', 8, 20],
    ],
  );
  t.deepEqual(check('a == 1', 'expression'), []);
  t.is(check('a ==', 'expression').length, 1);
  t.is(check('{% if a %}', 'template').length, 1);
});

test('a salt is made up if none is given', (t) => {
  const variables = sourceOf({});
  const hash = (): Value => renderString("{{ 'secret' | password_hash }}", variables, environment());
  t.regex(String(hash()), /^\$6\$[./0-9A-Za-z]{16}\$[./0-9A-Za-z]{86}$/);
  t.not(hash(), hash());
  const rounds = renderString(
    "{{ 'secret' | password_hash('sha512', 'saltsalt', rounds=1000) }}",
    variables,
    environment(),
  );
  t.regex(String(rounds), /^\$6\$rounds=1000\$saltsalt\$/);
});

test('random picks one of the items, with a seed always the same', (t) => {
  const variables = sourceOf({ l: ['a', 'b', 'c'] });
  const pick = (): Value => renderString("{{ l | random(seed='host') }}", variables, environment());
  t.is(pick(), pick());
  t.true(evaluate('l | random in l', variables, environment()));
  t.deepEqual(renderString('{{ l | shuffle | sort }}', variables, environment()), ['a', 'b', 'c']);
});

test('a macro that calls itself without end is an error, not a crash', (t) => {
  const error = failure(() =>
    renderString('{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}', sourceOf({}), environment()),
  );
  t.regex(error.message, /without end/);
});
