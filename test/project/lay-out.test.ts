import test, { type ExecutionContext } from 'ava';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { UserError } from '../../src/lib/errors.ts';
import { layOut, siteFiles } from '../../src/project/lay-out.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { makeSecrets } from '../../src/project/secrets.ts';

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'understudy-project-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

test('what is there stays as it is, and only a difference is told', async (t) => {
  const project = directory(t);
  mkdirSync(join(project, 'd'));
  writeFileSync(join(project, 'd/own'), 'mine');
  writeFileSync(join(project, 'd/same'), 'text');
  symlinkSync('elsewhere', join(project, 'link'));
  const files = [
    { path: 'd/own', content: 'theirs' },
    { path: 'd/same', content: 'text' },
    { path: 'd/new/file', content: 'text', executable: true },
    { path: 'link', content: 'text' },
  ];
  t.deepEqual(await layOut(project, files), { made: ['d/new/file'], kept: ['d/own', 'link'] });
  t.is(readFileSync(join(project, 'd/own'), 'utf8'), 'mine');
  t.is(statSync(join(project, 'd/new/file')).mode & 0o111, 0o111);
  t.deepEqual(readdirSync(project).sort(), ['d', 'link'], 'nothing was written where the link points');
  t.deepEqual(readdirSync(join(project, 'd/new')), ['file'], 'no temporary file stays');
});

test('a file where a directory belongs is the user’s mistake, and told as such', async (t) => {
  const project = directory(t);
  writeFileSync(join(project, 'playbooks'), '');
  const error = await t.throwsAsync(layOut(project, [{ path: 'playbooks/site.yml', content: '' }]), {
    instanceOf: UserError,
  });
  t.regex(error.message, /playbooks\/site\.yml cannot be written: /);
});

test('a project has what its roles use, and nothing that only a checkout needs', async (t) => {
  const paths = (await siteFiles()).map(({ path }) => path);
  for (const path of [
    'playbooks/site.yml',
    'playbooks/group_vars/all.yml',
    'files/app/dist/app.mjs',
    'files/failover/dist/failover.mjs',
    'files/failover/understudy-node',
    'files/mysql/schema.sql',
  ])
    t.true(paths.includes(path), path);
  t.deepEqual(
    paths.filter((path) => path.endsWith('.ts') || path.includes('/secrets/')),
    [],
  );
});

test('passwords are made once, each in a file for its owner alone', (t) => {
  const project = directory(t);
  mkdirSync(join(project, 'playbooks/group_vars'), { recursive: true });
  mkdirSync(join(project, 'inventory'));
  writeFileSync(join(project, 'inventory/hosts.yml'), 'all: {hosts: {web1: }}\n');
  writeFileSync(
    join(project, 'playbooks/group_vars/all.yml'),
    `plain: text
one: "{{ lookup('ansible.builtin.password', inventory_dir + '/secrets/one', length=32, chars=['digits']) }}"
two: "{{ lookup('password', inventory_dir ~ '/secrets/two') }}"
other: "{{ lookup('pipe', 'echo no') }}"
`,
  );
  const make = (): readonly string[] =>
    makeSecrets(join(project, 'playbooks'), loadInventory(join(project, 'inventory')));
  t.deepEqual(make(), ['one', 'two']);
  const secrets = join(project, 'inventory/secrets');
  const one = readFileSync(join(secrets, 'one'), 'utf8');
  t.regex(one, /^\d{32}\n$/);
  t.is(statSync(secrets).mode & 0o777, 0o700);
  for (const name of ['one', 'two']) t.is(statSync(join(secrets, name)).mode & 0o777, 0o600);
  make();
  t.is(readFileSync(join(secrets, 'one'), 'utf8'), one);
});
