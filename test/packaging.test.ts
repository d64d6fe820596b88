import test from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { VERSION } from '../src/bin/package.ts';
import { run } from '../src/lib/process.ts';
import { PRETEND_OLD_NODE } from './bin/old-node.ts';

const ROOT = join(import.meta.dirname, '..');
const environment = { ...process.env, npm_config_update_notifier: 'false', npm_config_fund: 'false' };

/** Runs npm and fails the test with what it said. */
async function npm(argv: readonly string[], cwd: string): Promise<string> {
  const ended = await run(['npm', ...argv], { cwd, env: environment, timeoutMs: 300_000 });
  if (ended.status !== 0) throw new Error(`npm ${argv.join(' ')} in ${cwd}: ${ended.stderr}`);
  return ended.stdout;
}

// One package for all tests here: making and installing it is what takes the time.
let directory = '';
let files: readonly string[] = [];
const installed = (path: string): string => join(directory, 'node_modules', '@understudy', 'cli', path);
const program = (name: string): string => join(directory, 'node_modules', '.bin', name);

test.before('the package is packed and installed', async (t) => {
  t.timeout(600_000);
  directory = await mkdtemp(join(tmpdir(), 'understudy-package-'));
  const printed = await npm(['pack', '--json', '--pack-destination', directory], ROOT);
  // What prepack prints comes before; npm 12 gives an object by name instead of a list.
  const parsed = JSON.parse(printed.slice(printed.search(/^[[{]/m))) as object;
  const [packed] = Object.values(parsed) as readonly {
    filename: string;
    files: readonly { path: string }[];
  }[];
  if (packed === undefined) throw new Error(`npm pack printed ${printed}`);
  files = packed.files.map((file) => file.path);
  const tarball = join(directory, packed.filename.replace(/^@/, '').replace('/', '-'));
  await npm(['install', '--omit=dev', '--no-audit', '--prefix', directory, tarball], directory);
});

test.after.always('nothing of it stays', async () => {
  if (directory !== '') await rm(directory, { recursive: true, force: true });
});

for (const name of ['provision', 'failover']) {
  test(`the installed ${name} runs under this Node`, async (t) => {
    const ended = await run([process.execPath, program(name), '--version'], {
      cwd: directory,
      timeoutMs: 60_000,
    });
    t.deepEqual(ended, { status: 0, stdout: `${VERSION}\n`, stderr: '' });
    t.true(((await stat(program(name))).mode & 0o111) === 0o111, 'is executable');
    t.true((await readFile(program(name), 'utf8')).startsWith('#!/usr/bin/env node\n'));
  });

  test(`under an old Node the installed ${name} says which one it needs`, async (t) => {
    const ended = await run([process.execPath, ...PRETEND_OLD_NODE, program(name), '--version'], {
      cwd: directory,
      timeoutMs: 60_000,
    });
    t.is(ended.status, 1);
    t.is(ended.stdout, '');
    t.true(
      ended.stderr.startsWith(`${name}: Node.js 24 or newer is needed, and this is Node.js 20.0.0 `),
      ended.stderr,
    );
  });
}

test('every command of the installed provision can be loaded', async (t) => {
  const help = await run([process.execPath, program('provision'), '--help'], {
    cwd: directory,
    timeoutMs: 60_000,
  });
  const verbs = [...help.stdout.matchAll(/^ {2}([a-z]+)(?: [<[].*?[>\]])? {2,}\S/gm)].map(
    ([, verb]) => verb ?? '',
  );
  t.true(verbs.includes('up') && verbs.includes('lab'), help.stdout);
  for (const verb of verbs.filter((name) => name !== 'help')) {
    const ended = await run([process.execPath, program('provision'), 'help', verb], {
      cwd: directory,
      timeoutMs: 60_000,
    });
    t.is(ended.status, 0, ended.stderr);
  }
});

test('installed with npm, what provision init prints next works', async (t) => {
  const made = await run(['npx', '--no-install', 'provision', 'init', 'site', '--from', 'example'], {
    cwd: directory,
    env: environment,
    timeoutMs: 60_000,
  });
  t.is(made.status, 0, made.stderr);
  const printed = made.stdout.split('Next:\n')[1]?.split('\n') ?? [];
  const commands = printed.map((line) => line.trim().split(/ {2,}/)[0] ?? '');
  t.is(commands[0], 'cd site');
  const next = await run(['sh', '-c', commands.slice(0, 2).join(' && ')], {
    cwd: directory,
    env: environment,
    timeoutMs: 60_000,
  });
  t.is(next.status, 0, next.stderr);
  t.regex(next.stdout, /^balancers:\n {2}lb1\n/);
  const playbook = ['npx', '--no-install', 'provision', 'up', '-i', 'inventory/production', '--syntax-check'];
  const site = join(directory, 'site');
  const loaded = await run(playbook, { cwd: site, env: environment, timeoutMs: 60_000 });
  t.is(loaded.status, 0, loaded.stderr);
  const secret = await stat(join(site, 'inventory/production/secrets/mysql_app_password'));
  t.is(secret.mode & 0o777, 0o600);
});

test('the installed failover serves the live page, with the libraries that it brought', async (t) => {
  const account = { user: 'failover', password: 'secret' };
  const description = join(directory, 'orders.json');
  await writeFile(
    description,
    JSON.stringify({
      name: 'orders',
      flavour: 'mysql',
      // Nobody listens there.
      instances: [{ name: 'db1', host: 'web1', address: '127.0.0.1', port: 1 }],
      accounts: { failover: account, replication: account, backup: account },
      tls: {},
    }),
  );
  const child = spawn(
    process.execPath,
    [program('failover'), 'page', '--cluster', description, '--port', '0'],
    { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const page = await (await fetch(said.toString().trim())).text();
  t.regex(page, /<script type="module">.{10000}/s);
});

test('the package has what it needs and nothing else', (t) => {
  for (const needed of [
    'bin/provision.js',
    'bin/failover.js',
    'dist/bin/provision.js',
    'dist/bin/failover.js',
    'package.json',
    'LICENSE',
    'CHANGELOG.md',
    'docs/exit-codes.md',
  ]) {
    t.true(files.includes(needed), needed);
  }
  t.deepEqual(
    files.filter((file) => /^(src|test|bench|scripts|node_modules)\/|\.ts$|\/secrets\/|\.vagrant/.test(file)),
    [],
  );
  t.true(existsSync(installed('dist/bin/provision.js')));
});
