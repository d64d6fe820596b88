import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { type Ask, answerPrompts } from '../../../src/commands/provision/prompts.ts';
import { UserError } from '../../../src/lib/errors.ts';
import type { Dict, Value } from '../../../src/lib/value.ts';
import { loadPlaybook } from '../../../src/playbook/load.ts';
import { renderStatic } from '../../../src/variables/static.ts';
import { renderTemplate } from '../../../src/template/render.ts';
import type { TemplateEnvironment } from '../../../src/template/environment.ts';

const directory = mkdtempSync(join(tmpdir(), 'prompts-'));
test.after.always(() => rmSync(directory, { recursive: true }));

function playbookOf(text: string) {
  const file = join(directory, 'play.yml');
  writeFileSync(file, text);
  return loadPlaybook(file, { renderStatic: renderStatic(new Map()) });
}

/** Answers one question after the other, and keeps what was asked. */
function person(...answers: string[]): { readonly ask: Ask; readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    ask: async (question, isHidden) => {
      asked.push(`${question}${isHidden ? '(hidden)' : ''}`);
      return answers.shift() ?? '';
    },
  };
}

const PLAYS = `
- hosts: a
  vars: {release: old, other: kept}
  vars_prompt:
    - {name: release, prompt: Which release, private: no}
    - {name: password, confirm: yes}
    - {name: colour, default: red, private: no}
- hosts: b
  vars_prompt:
    - {name: release}
`;

test('plays have the answers as variables; each is asked for once, and secrets are told', async (t) => {
  const { ask, asked } = person('v2', 'hunter2', 'hunter', 'hunter3', 'hunter3', '');
  const { playbook, secrets } = await answerPrompts(playbookOf(PLAYS), new Map(), ask);
  t.deepEqual(asked, [
    'Which release: ',
    'input for password: (hidden)',
    'confirm input for password: (hidden)',
    'input for password: (hidden)',
    'confirm input for password: (hidden)',
    'input for colour [red]: ',
  ]);
  const [first, second] = playbook.plays.map((play) =>
    Object.fromEntries(play.vars.values as Map<string, Value>),
  );
  t.deepEqual(first, { release: 'v2', other: 'kept', password: 'hunter3', colour: 'red' });
  t.deepEqual(second, { release: 'v2' });
  t.deepEqual(secrets, ['hunter3']);
});

test('what the command line gives is not asked for', async (t) => {
  const { ask, asked } = person('x', 'x');
  const given: Dict = new Map([
    ['release', 'v3'],
    ['colour', 'blue'],
  ]);
  const { playbook } = await answerPrompts(playbookOf(PLAYS), given, ask);
  t.is(asked.length, 2);
  t.is(playbook.plays[0]?.vars.values.get('release'), 'old');
});

test('without a terminal the default stands, and without one it is said how to give the variable', async (t) => {
  const error = await t.throwsAsync(answerPrompts(playbookOf(PLAYS), new Map(), undefined), {
    instanceOf: UserError,
    message: /the play asks for "release", and without a terminal nobody can be asked/,
  });
  t.is(error?.problems[0]?.hint, 'give it with -e release=…');
  const given: Dict = new Map([
    ['release', 'v3'],
    ['password', 'x'],
  ]);
  const { playbook } = await answerPrompts(playbookOf(PLAYS), given, undefined);
  t.is(playbook.plays[0]?.vars.values.get('colour'), 'red');
});

test('an answer that is unsafe is no template', async (t) => {
  const typed = '{{ "a" }} {% raw %} {# b #} \\n "c"';
  const { ask } = person(typed, typed);
  const plays = '- {hosts: a, vars_prompt: [{name: a, unsafe: yes}, {name: b}]}';
  const { playbook } = await answerPrompts(playbookOf(plays), new Map(), ask);
  const { values } = playbook.plays[0]!.vars;
  t.is(values.get('b'), typed);
  const nothing = { get: () => undefined, has: () => false, names: () => [] };
  t.is(
    renderTemplate(String(values.get('a')), nothing, {} as TemplateEnvironment, {
      origin: { file: 'a', line: 1, column: 1 },
    }),
    typed,
  );
});
