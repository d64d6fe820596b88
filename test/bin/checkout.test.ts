import test from 'ava';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { VERSION } from '../../src/bin/package.ts';
import { run } from '../../src/lib/process.ts';
import { PRETEND_OLD_NODE } from './old-node.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const node = (...args: readonly string[]): ReturnType<typeof run> =>
  run([process.execPath, ...args], { timeoutMs: 60_000 });

for (const name of ['provision', 'failover']) {
  test(`npx ${name} works in a checkout that nothing was built in, and below it`, async (t) => {
    t.like(await node(join(ROOT, 'scripts/link-programs.ts')), { status: 0, stderr: '' });
    for (const cwd of [ROOT, join(ROOT, 'docs')]) {
      const ended = await run(['npx', '--no-install', name, '--version'], { cwd, timeoutMs: 60_000 });
      t.like(ended, { status: 0, stdout: `${VERSION}\n` }, ended.stderr);
    }
  });

  test(`in a checkout, ${name} goes on under the Node that npm brought when the running one is too old`, async (t) => {
    const ended = await node(...PRETEND_OLD_NODE, join(ROOT, 'bin', `${name}.js`), '--version');
    t.like(ended, { status: 0, stdout: `${VERSION}\n`, stderr: '' });
  });
}

test('before npm ci a checkout says what to do', async (t) => {
  const checkout = await mkdtemp(join(tmpdir(), 'understudy-checkout-'));
  t.teardown(() => rm(checkout, { recursive: true }));
  for (const part of ['bin', 'src/bin', 'package.json'])
    await cp(join(ROOT, part), join(checkout, part), { recursive: true });
  const bare = await node(join(checkout, 'bin/provision.js'), '--version');
  t.is(bare.status, 1);
  t.is(
    bare.stderr,
    `error: provision: the packages that it uses are not installed\n  hint: npm ci in ${checkout}/\n`,
  );

  await mkdir(join(checkout, 'node_modules'));
  const old = await node(...PRETEND_OLD_NODE, join(checkout, 'bin/failover.js'), '--version');
  t.is(old.status, 1);
  t.regex(
    old.stderr,
    /^error: failover: Node\.js 24 or newer is needed, and this is Node\.js 20\.0\.0\n {2}hint: npm ci /,
  );
});

test('a signal to the program in a checkout reaches it under the other Node, and its end is passed on', async (t) => {
  const checkout = await mkdtemp(join(tmpdir(), 'understudy-checkout-'));
  t.teardown(() => rm(checkout, { recursive: true }));
  await mkdir(join(checkout, 'node_modules/.bin'), { recursive: true });
  await mkdir(join(checkout, 'src/bin'), { recursive: true });
  await cp(join(ROOT, 'bin'), join(checkout, 'bin'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(checkout, 'package.json'));
  await symlink(process.execPath, join(checkout, 'node_modules/.bin/node'));
  await writeFile(
    join(checkout, 'src/bin/provision.ts'),
    `process.on('SIGTERM', () => process.exit(130));
     process.stdout.write(process.argv.slice(2).join() + '\\n');
     setInterval(() => {}, 1000);`,
  );
  const child = spawn(
    process.execPath,
    [...PRETEND_OLD_NODE, join(checkout, 'bin/provision.js'), 'up', '-v'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  t.is(said.toString(), 'up,-v\n');
  child.kill('SIGTERM');
  t.deepEqual(await once(child, 'close'), [130, null]);
});
