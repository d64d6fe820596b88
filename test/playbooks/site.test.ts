import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { parse } from 'yaml';
import { run } from '../../src/lib/process.ts';
import { needsProgram, testWith } from '../needs.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const playbooks = join(project, 'playbooks');
const files = readdirSync(playbooks, { recursive: true, encoding: 'utf8' });

const KEYWORDS = new Set(
  (
    'name when notify register tags loop loop_control changed_when failed_when block rescue always become become_user ' +
    'check_mode until retries delay run_once vars listen delegate_to ignore_errors no_log args environment throttle diff'
  ).split(' '),
);

type Task = Readonly<Record<string, unknown>>;

function tasksOf(file: string): readonly Task[] {
  const flatten = (tasks: readonly Task[]): readonly Task[] =>
    tasks.flatMap((task) => [
      task,
      ...['block', 'rescue', 'always'].flatMap((part) => flatten((task[part] ?? []) as readonly Task[])),
    ]);
  return flatten((parse(readFileSync(join(playbooks, file), 'utf8')) ?? []) as readonly Task[]);
}

for (const file of files.filter((each) => /roles\/[^/]+\/(tasks|handlers)\/.*\.yml$/.test(each))) {
  test(`${file} uses what ansible-core has, by its full name`, (t) => {
    for (const task of tasksOf(file)) {
      const modules = Object.keys(task).filter((key) => !KEYWORDS.has(key));
      t.true(
        modules.length <= 1 && modules.every((module) => module.startsWith('ansible.builtin.')),
        modules.join(),
      );
      t.is(typeof task['name'], 'string');
    }
  });
}

for (const file of files.filter((each) => /roles\/[^/]+\/defaults\/main\.yml$/.test(each))) {
  test(`${file} says what its variables are for`, (t) => {
    t.regex(readFileSync(join(playbooks, file), 'utf8'), /^#/);
  });
}

const withAnsible = testWith(needsProgram('ansible-playbook', 'ansible-core'), test);

const plays = files.filter((each) => /^[^/]+\.yml$/.test(each)).map((each) => join(playbooks, each));

for (const inventory of ['vagrant', 'production.example']) {
  withAnsible(`Ansible finds no mistake in the playbooks, for inventory/${inventory}`, async (t) => {
    const outcome = await run(
      ['ansible-playbook', '-i', join(project, 'inventory', inventory), '--syntax-check', ...plays],
      { timeoutMs: 90_000 },
    );
    t.is(outcome.status, 0, outcome.stderr);
  });
}
