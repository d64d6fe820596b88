import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { takeLock } from '../../../src/commands/provision/run-lock.ts';

function directory(t: { teardown: (work: () => void) => void }): string {
  const path = mkdtempSync(join(tmpdir(), 'understudy-lock-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('a second run is refused and told who holds the lock', (t) => {
  const path = directory(t);
  const lock = takeLock(path, 'provision up');
  const error = t.throws(() => takeLock(path, 'provision run x.yml'));
  t.regex(error?.message ?? '', new RegExp(`"provision up" by .*@${hostname()}, process ${process.pid}`));
  lock.release();
  takeLock(path, 'provision up').release();
  t.false(existsSync(join(path, '.understudy.lock')));
});

test('the lock of a process that was killed is taken over', async (t) => {
  const path = directory(t);
  const lockModule = new URL('../../../src/commands/provision/run-lock.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [
    '--input-type=module-typescript',
    '-e',
    `import { takeLock } from ${JSON.stringify(lockModule)}; takeLock(${JSON.stringify(path)}, 'first'); console.log('held'); setInterval(() => {}, 1000);`,
  ]);
  await once(child.stdout, 'data');
  t.throws(() => takeLock(path, 'second'), { message: /"first"/ });
  child.kill('SIGKILL');
  await once(child, 'exit');
  takeLock(path, 'second').release();
  t.pass();
});

test('a process that got the number of a dead owner does not count as the owner', (t) => {
  const path = directory(t);
  const owner = { pid: process.pid, started: '1', host: hostname(), user: 'x', command: 'old', since: '' };
  writeFileSync(join(path, '.understudy.lock'), JSON.stringify(owner));
  takeLock(path, 'new').release();
  t.pass();
});

test('the lock of another machine is respected, and the message says how to remove it', (t) => {
  const path = directory(t);
  const owner = {
    pid: 1,
    started: '1',
    host: 'elsewhere',
    user: 'ann',
    command: 'provision up',
    since: 'today',
  };
  writeFileSync(join(path, '.understudy.lock'), JSON.stringify(owner));
  t.throws(() => takeLock(path, 'new'), { message: /ann@elsewhere[\s\S]*If that machine is gone, remove / });
});
