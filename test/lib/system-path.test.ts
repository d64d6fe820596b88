import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { isInstalled } from '../../src/lab/packages.ts';
import { system } from '../../src/lab/system.ts';
import { run } from '../../src/lib/process.ts';
import {
  findSystemProgram,
  pathWithoutPackages,
  systemEnvironment,
  systemPath,
  userEnvironment,
} from '../../src/lib/system-path.ts';
import { localTransport } from '../../src/transport/local.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** Directories with a program each, of a name that no system has. */
function programs(t: ExecutionContext, ...directories: readonly string[]): { name: string; root: string } {
  const root = mkdtempSync(join(tmpdir(), 'understudy-path-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const name = 'understudy-probe';
  for (const directory of directories) {
    mkdirSync(join(root, directory), { recursive: true });
    writeFileSync(join(root, directory, name), `#!/bin/sh\necho ${directory}\n`);
    chmodSync(join(root, directory, name), 0o755);
  }
  return { name, root };
}

const PATHS: readonly (readonly [path: string, without: string])[] = [
  ['/srv/x/node_modules/.bin:/srv/node_modules/.bin:/usr/bin', '/usr/bin'],
  ['/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin:/bin', '/bin'],
  ['/usr/share/nodejs/@npmcli/run-script/lib/node-gyp-bin:/bin', '/bin'],
  ['/root/.npm/_npx/0f3c/node_modules/.bin:/opt/bin:/usr/bin', '/opt/bin:/usr/bin'],
  ['/opt/bin:/usr/local/bin', '/opt/bin:/usr/local/bin'],
  ['/opt/my_node_modules/bin', '/opt/my_node_modules/bin'],
];

for (const [path, without] of PATHS) {
  test(`what npm adds to ${path} is taken out, and nothing else`, (t) => {
    t.is(pathWithoutPackages(path), without);
  });
}

test("the system's directories come first, and a user's own are kept, each once", (t) => {
  t.is(
    systemPath('/opt/bin:/usr/bin:relative::/x/node_modules/.bin'),
    '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin',
  );
});

test("a program of a package is never taken for one of the system's", async (t) => {
  const { name, root } = programs(t, 'node_modules/.bin');
  const path = `${join(root, 'node_modules/.bin')}:/usr/bin`;
  t.is(await findSystemProgram(name, path), undefined);
  const before = process.env['PATH'];
  process.env['PATH'] = `${path}:${before}`;
  t.teardown(() => (process.env['PATH'] = before));
  t.false(await isInstalled(name));
  t.is((await system([name])).status, -1);
  t.is((await run([name])).status, -1);
  t.is((await run(['sh', '-c', name])).status, 127);
});

test('a directory and a file that cannot be run are no programs', async (t) => {
  const { name, root } = programs(t, 'bin');
  mkdirSync(join(root, 'other', name), { recursive: true });
  t.is(await findSystemProgram(name, join(root, 'other')), undefined);
  t.is(await findSystemProgram(name, join(root, 'bin')), join(root, 'bin', name));
  chmodSync(join(root, 'bin', name), 0o644);
  t.is(await findSystemProgram(name, join(root, 'bin')), undefined);
});

test('a task on this machine runs what the user would run, not what npm put before it', async (t) => {
  const { name, root } = programs(t, 'node_modules/.bin', 'bin');
  const env = { HOME: root, PATH: `${join(root, 'node_modules/.bin')}:${join(root, 'bin')}:/usr/bin:/bin` };
  const transport = localTransport({ env: userEnvironment(env) });
  t.teardown(() => transport.close());
  const connection = await transport.connect({ name: 'localhost', address: 'localhost' });
  t.is((await connection.run(name)).stdout.toString(), 'bin\n');
});

test('a task on this machine has no PATH of npm by itself', async (t) => {
  const before = process.env['PATH'];
  process.env['PATH'] = `/x/node_modules/.bin:${before}`;
  t.teardown(() => (process.env['PATH'] = before));
  const transport = localTransport();
  t.teardown(() => transport.close());
  const connection = await transport.connect({ name: 'localhost', address: 'localhost' });
  t.notRegex((await connection.run('printf %s "$PATH"')).stdout.toString(), /node_modules/);
});

test('without a PATH the system has its own', (t) => {
  t.regex(userEnvironment({}).PATH ?? '', /\/usr\/bin/);
  t.regex(systemEnvironment({}).PATH ?? '', /\/usr\/sbin/);
  t.is(userEnvironment({ PATH: '/a:/b', HOME: '/h' }).PATH, '/a:/b');
});

/** Files that start nothing but the running Node, by its path, or the user's own files. */
const OWN_NODE_ONLY = new Set([
  'src/lab/package-cache-process.ts',
  'src/failover/drill/tool.ts',
  'scripts/test.ts',
  'scripts/common.ts',
]);

for (const file of globSync('{src,scripts,bench}/**/*.ts', { cwd: PROJECT }).sort()) {
  const text = readFileSync(join(PROJECT, file), 'utf8');
  if (!/^import \{(?! type \w+ \})[^}]*\} from 'node:child_process'/m.test(text)) continue;
  test(`${file} says where the programs that it starts are looked for`, (t) => {
    if (OWN_NODE_ONLY.has(file)) t.pass();
    else t.regex(text, /from '[./]*(src\/)?(lib\/)?system-path\.ts'/);
  });
}
