import test from 'ava';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { renderStatic } from '../../src/variables/static.ts';
import { validatePlaybook } from '../../src/validate/validate.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';

const directory = mkdtempSync(join(tmpdir(), 'understudy-validate-'));
test.after.always(() => rmSync(directory, { recursive: true }));

let count = 0;

/** The problems of one task, with the line and column of each. */
async function problems(task: string): Promise<string[]> {
  const file = join(directory, `${count++}.yml`);
  writeFileSync(file, `- hosts: all\n  tasks:\n    - ${task.replaceAll('\n', '\n      ')}\n`);
  const playbook = loadPlaybook(file, { renderStatic: renderStatic(new Map()) });
  return (await validatePlaybook(playbook)).map(
    ({ message, location }) => `${location?.line}:${location?.column} ${message}`,
  );
}

const CASES: readonly (readonly [name: string, task: string, expected: readonly string[]])[] = [
  ['arguments that are right', 'copy: {src: a, dest: /b}', []],
  [
    'a name that the module does not have',
    'copy: {srcc: a, src: b, dest: /b}',
    ['3:13 copy: srcc: ansible.builtin.copy has no such argument; did you mean src?'],
  ],
  [
    'such a name beside a value that only the run will tell',
    'copy: {srcc: "{{ a }}", src: "{{ b }}", dest: /b}',
    ['3:13 copy: srcc: ansible.builtin.copy has no such argument; did you mean src?'],
  ],
  ['one that is required', 'stat: {follow: true}', ['3:13 stat: path: required']],
  ['one that is required and comes from a variable', 'stat: {path: "{{ a }}"}', []],
  ['one that is required and comes by another name', 'stat: {dest: "{{ a }}"}', []],
  [
    'a value that is not among the choices',
    'file: {path: "{{ a }}", state: here}',
    ["3:13 file: state: expected one of absent, directory, file, hard, link, touch; found 'here'"],
  ],
  ['a choice that only the run will tell', 'file: {path: /a, state: "{{ a }}"}', []],
  ['a rule between arguments', 'copy: {dest: /b}', ['3:13 copy: one of src, content is required']],
  ['a rule that a variable may keep', 'template: {src: "{{ a }}", dest: /b, validate: "{{ c }}"}', []],
  [
    'what is not supported',
    'user: {name: a, seuser: x}',
    ['3:13 user: seuser: is not supported: SELinux contexts are not managed'],
  ],
  ['a list with a variable in it', 'apt: {name: [a, "{{ b }}"]}', []],
  ['free text', 'shell: echo {{ a }} | wc creates=/b', []],
  [
    'arguments beside free text',
    'shell: echo\nargs: {creats: /b}',
    ['4:13 shell: creats: ansible.builtin.shell has no such argument; did you mean creates?'],
  ],
  ['pairs', 'file: path=/a state={{ b }}', []],
  [
    'wrong arguments that a condition may keep from running',
    'copy: {srcc: a, src: b, dest: /b}\nwhen: old',
    [],
  ],
  ['wrong arguments whose failure is ignored', 'copy: {srcc: a, dest: /b}\nignore_errors: true', []],
  ['wrong arguments whose failure is expected', 'copy: {srcc: a, dest: /b}\nfailed_when: false', []],
  [
    'wrong arguments that are rescued, but not those of the rescue',
    'block:\n  - copy: {srcc: a, dest: /b}\nrescue:\n  - stat: {}',
    ['6:17 stat: path: required'],
  ],
  [
    'a condition that is no expression',
    'ping:\nwhen: a b',
    ['4:15 expected the end of the expression, found "b"'],
  ],
  ['an unknown module that a condition may keep from running', 'nonesuch: {a: b}\nwhen: old', []],
  [
    'pairs with a wrong name',
    'file: path=/a stat={{ b }}',
    ['3:13 file: stat: ansible.builtin.file has no such argument; did you mean state?'],
  ],
  ['a meta that there is not', 'meta: flush_handler', ['3:13 "meta: flush_handler" is not supported']],
  ['meta: end_role outside of a role', 'meta: end_role', ['3:7 "meta: end_role" stands outside of a role']],
  ['a handler that another role may bring', 'command: a\nnotify: b', []],
  [
    'a lookup that there is not',
    "debug: {msg: \"{{ lookup('files', 'a') }}\"}",
    ['3:14 there is no lookup "files"'],
  ],
  ['a loop over a lookup that there is not', 'debug:\nwith_item: [1]', ['4:18 there is no lookup "item"']],
  [
    'lookups that there are',
    "debug: {msg: \"{{ lookup('ansible.builtin.file', 'a') }} {{ q('env', b) }}\"}",
    [],
  ],
  ['a handler by a template', 'command: a\nnotify: "{{ b }}"', []],
  ['a task without arguments', 'ping:', []],
];

test('a handler whose name is nearly the notified one is reported before the run', async (t) => {
  const task = 'command: a\n  notify: restart ngnix\n  handlers:\n    - name: restart nginx\n      ping:';
  const file = join(directory, 'handlers.yml');
  writeFileSync(file, `- hosts: all\n  tasks:\n    - ${task.replace('\n  notify', '\n      notify')}\n`);
  const found = await validatePlaybook(loadPlaybook(file, { renderStatic: renderStatic(new Map()) }));
  t.deepEqual(
    found.map(({ message, hint }) => [message, hint]),
    [['no handler is called "restart ngnix" or listens to it', 'did you mean "restart nginx"?']],
  );
});

for (const [name, task, expected] of CASES) {
  test(`${name}: ${expected.length === 0 ? 'nothing to report' : 'reported before the run'}`, async (t) => {
    t.deepEqual(await problems(task), expected);
  });
}
