import { readFileSync } from 'node:fs';

import test from 'ava';

import { isDict, toPlain } from '../../src/lib/value.ts';
import { parseYaml } from '../../src/lib/yaml.ts';
import { readAction, type Action } from '../../src/playbook/action.ts';
import { Fields } from '../../src/playbook/fields.ts';
import { LoadContext } from '../../src/playbook/load-context.ts';

/** A task, and what Ansible's own parser makes of it (see free-form.py). */
interface Case {
  readonly task: Readonly<Record<string, unknown>>;
  readonly expect?: {
    readonly action: string;
    readonly args: Readonly<Record<string, unknown>>;
    readonly delegate_to?: string;
  };
  readonly error?: true;
  /** Why we refuse it on purpose. */
  readonly differs?: string;
}

const cases = JSON.parse(
  readFileSync(new URL('cases/free-form.json', import.meta.url), 'utf8'),
) as readonly Case[];

for (const { task, expect, differs } of cases) {
  const isRefused = expect === undefined || differs !== undefined;
  const end = differs === undefined ? 'as by Ansible' : `(unlike Ansible: ${differs})`;
  test(`${JSON.stringify(task)} is ${isRefused ? 'refused' : 'taken apart'} ${end}`, (t) => {
    const { action, problems } = read(JSON.stringify(task));
    if (isRefused) {
      t.not(problems.length, 0);
      return;
    }
    t.deepEqual(problems, []);
    t.deepEqual(action && asAnsibleKeepsIt(action, task), expect);
  });
}

test('what is wrong with free text has its place', (t) => {
  const place = { file: 'tasks.yml', line: 2, column: 7 };
  t.like(read('name: x\ncopy: a=1 b').problems[0], {
    message: '"copy": expected key=value, found "b"',
    location: place,
  });
  t.like(read('name: x\ncopy: a="b').problems[0], {
    message: '" is missing in "a=\\"b"',
    location: place,
  });
});

test('a character by its Unicode name is refused, since the names are not known here', (t) => {
  t.like(read(String.raw`shell: stdin=\N{BULLET} cat`).problems[0], {
    message: String.raw`\N{BULLET} is not a character that can be named so`,
  });
});

function read(text: string): { action: Action | undefined; problems: LoadContext['problems'] } {
  const context = new LoadContext({ renderStatic: ({ text: written }) => written });
  const document = parseYaml(text, 'tasks.yml');
  if (!isDict(document.value)) throw new Error(`${text} is no task`);
  const action = readAction(new Fields(context, document, document.value), 'task');
  return { action, problems: context.problems };
}

/** Ansible keeps texts, and templates for whole dictionaries, among the arguments, under names of its own. */
function asAnsibleKeepsIt(action: Action, task: Case['task']): Case['expect'] {
  const args: Record<string, unknown> = { ...(toPlain(action.args.value) as Record<string, unknown>) };
  for (const { text } of action.argsTemplates ?? [])
    args[text === task['args'] ? '_variable_params' : '_raw_params'] = text;
  if (action.freeForm) args['_raw_params'] = action.freeForm.text;
  return { action: action.name.text, args, ...(action.isLocal ? { delegate_to: 'localhost' } : {}) };
}
