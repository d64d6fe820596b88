import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { ROOT } from '../../scripts/common.ts';

test('a Node that is too old says which one is needed, and why npm has not brought it', async (t) => {
  const checkout = await mkdtemp(join(tmpdir(), 'understudy-run-'));
  t.teardown(async () => await rm(checkout, { recursive: true }));
  for (const file of ['bin/launch.js', 'scripts/run.js']) await cp(join(ROOT, file), join(checkout, file));
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as object;
  await writeFile(
    join(checkout, 'package.json'),
    JSON.stringify({ ...manifest, engines: { node: '>=999' } }),
  );
  await mkdir(join(checkout, 'node_modules'));
  const ended = spawnSync(process.execPath, ['scripts/run.js', 'start'], {
    cwd: checkout,
    encoding: 'utf8',
  });
  t.is(ended.status, 1);
  t.regex(ended.stderr, /^error: npm run start: Node\.js 999 or newer is needed, and this is Node\.js \d/);
  t.regex(ended.stderr, /hint: npm ci .*\(ignore-scripts\)/);
});

test('npm’s scripts get the options behind their name', (t) => {
  const ended = spawnSync(process.execPath, ['scripts/run.js', 'test', '--help'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  t.is(ended.status, 0, ended.stderr);
  t.regex(ended.stdout, /npm run test|npm test/);
});
