import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import type { Play, Task, TaskNode } from '../../src/playbook/ast.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { loadRole } from '../../src/playbook/role.ts';
import { loadIncludedTasks, loadTaskFile } from '../../src/playbook/task-file.ts';
import { loadVarsFile } from '../../src/playbook/vars-file.ts';
import { UserError } from '../../src/lib/errors.ts';
import { toPlain } from '../../src/lib/value.ts';
import { renderStatic } from './render-static.ts';
import { flatten } from './summary.ts';

const site = fileURLToPath(new URL('samples/site/', import.meta.url));
const options = { renderStatic };
const { plays } = loadPlaybook(`${site}site.yml`, options);
const [first, second] = plays as [Play, Play];

test('the tasks, their order and their tags are those of ansible-playbook --list-tasks', (t) => {
  const listed = readFileSync(new URL('samples/site.list-tasks.txt', import.meta.url), 'utf8');
  const lines = plays.flatMap((play, index) => [
    `  play #${index + 1} (${String(play.hosts.value)}): ${play.name?.text}\tTAGS: [${tagsOf(play.inherited)}]`,
    '    tasks:',
    ...[play.preTasks, play.roleTasks, play.tasks, play.postTasks].flatMap(withoutRescue).map(listTask),
    '',
  ]);
  t.deepEqual(['', 'playbook: site.yml', '', ...lines], leaveOutWhatRunsOnce(listed).split('\n'));
});

test('a role sees its own variables, and those of the role that depends on it', (t) => {
  const roles = first.roles.map((role) => [role.name, role.parent?.name]);
  t.deepEqual(roles, [
    ['common', undefined],
    ['common', 'web'],
    ['db', 'web'],
    ['web', undefined],
    ['db', undefined],
    ['db', undefined],
  ]);
  const web = first.roles[3];
  // vars: of the entry are stronger than the role's own and seen by its tasks only; parameters are kept apart.
  t.deepEqual(
    web?.vars.map((block) => toPlain(block.values)),
    [{ port: 80 }],
  );
  t.deepEqual(
    web?.entryVars.map((block) => toPlain(block.values)),
    [{ port: 81 }],
  );
  t.deepEqual(
    web?.params.map((block) => toPlain(block.values)),
    [{ listen_on: 8080 }],
  );
  t.deepEqual(
    first.roles[0]?.defaults.map((block) => toPlain(block.values)),
    [{ common: 1 }],
  );
  t.deepEqual(
    first.roles[2]?.params.map((block) => toPlain(block.values)),
    [{ db_param: 'from web' }],
  );
});

test('applications of a role that say the same share a key, others have none in common', (t) => {
  const keys = first.roles.map((role) => role.onceKey);
  t.is(keys[0], keys[1]);
  t.is(new Set(keys.slice(0, 5)).size, 4);
  t.is(keys[5], undefined, 'an imported role always runs');
});

test('handlers of roles come before those of the play, which may replace them', (t) => {
  t.deepEqual(
    first.handlers.map((node) => [node.kind === 'task' ? node.role?.name : undefined, node.name?.text]),
    [
      ['db', 'restart db'],
      ['web', 'reload'],
      ['db', 'restart db'],
      [undefined, 'restart web'],
      ['db', 'restart db'],
    ],
  );
});

test('an imported play looks for files beside itself', (t) => {
  t.is(second.directory, `${site}more`);
  t.is(second.tasks[0]?.at.file, `${site}more/tasks/only.yml`);
});

test('an included file is loaded with what surrounds the include', (t) => {
  const include = includeNamed('include_tasks');
  const [task] = loadTaskFile(`${site}tasks/dynamic.yml`, include, options) as [Task];
  t.is(task.name?.text, 'Dynamic');
  t.deepEqual(task.tags, ['play', 'applied'], 'its own tag inc is not handed on');
  t.is(task.becomeUser?.value, 'app');
  t.is(task.become?.value, true);
  t.deepEqual(
    task.vars.map((block) => toPlain(block.values)),
    [{ b: 2 }],
  );
});

test('an included role is loaded with its dependencies', (t) => {
  const include = includeNamed('ansible.builtin.include_role');
  const loaded = loadRole('web', include, { tasksFrom: 'main' }, options);
  t.deepEqual(
    loaded.roles.map((role) => role.name),
    ['common', 'db', 'web'],
  );
  t.deepEqual(
    flatten(loaded.tasks).map((task) => task.name?.text),
    ['Common', 'Db main', 'Install', 'Sub'],
  );
  t.deepEqual(
    loaded.handlers.map((handler) => handler.name?.text),
    ['restart db', 'reload'],
  );
  t.is(loaded.context.name, 'web');
  t.deepEqual(flatten(loaded.tasks).at(-1)?.tags, ['play', 'sub']);
});

test('an included role that is not there is the user’s mistake', (t) => {
  const include = includeNamed('ansible.builtin.include_role');
  const error = t.throws(() => loadRole('wbe', include, {}, options), { instanceOf: UserError });
  t.like(error.problems[0], { message: 'there is no role "wbe"', location: include.at });
});

test('roles that an included file imports come along', (t) => {
  const include = includeNamed('include_tasks');
  const loaded = loadIncludedTasks(
    fileURLToPath(new URL('samples/imports-role.yml', import.meta.url)),
    include,
    options,
  );
  t.deepEqual(
    loaded.roles.map((role) => role.name),
    ['db'],
  );
  t.deepEqual(
    loaded.handlers.map((handler) => handler.name?.text),
    ['restart db'],
  );
});

test('a file of variables is a dictionary', (t) => {
  t.deepEqual(toPlain(loadVarsFile(`${site}vars/site.yml`).values), { from_file: 1 });
  const error = t.throws(() => loadVarsFile(`${site}site.yml`), { instanceOf: UserError });
  t.is(error.problems[0]?.message, 'a file of variables is a dictionary');
  t.throws(() => loadVarsFile(`${site}nope.yml`), { instanceOf: UserError, message: /^cannot read / });
});

test('a playbook that is not there is the user’s mistake', (t) => {
  t.throws(() => loadPlaybook(`${site}nope.yml`, options), {
    instanceOf: UserError,
    message: /^cannot read /,
  });
});

function includeNamed(action: string): Task {
  const task = flatten(first.tasks).find((candidate) => candidate.action.text === action);
  if (!task) throw new Error(`the sample has no ${action}`);
  return task;
}

function withoutRescue(nodes: readonly TaskNode[]): readonly Task[] {
  return nodes.flatMap((node) => (node.kind === 'task' ? [node] : withoutRescue(node.block)));
}

function listTask(task: Task): string {
  const name = task.name?.text ?? task.action.text;
  return `      ${task.role ? `${task.role.name} : ` : ''}${name}\tTAGS: [${tagsOf(task)}]`;
}

function tagsOf({ tags }: Pick<Task, 'tags'>): string {
  return [...tags].sort().join(', ');
}

/** Ansible lists the second `common` of the play, too, and leaves it out when it runs. */
function leaveOutWhatRunsOnce(listed: string): string {
  const line = '      common : Common\tTAGS: [play]\n';
  const again = listed.lastIndexOf(line);
  return listed.slice(0, again) + listed.slice(again + line.length);
}
