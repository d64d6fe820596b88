import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { readLockOwner, tryLock } from '../../src/lib/lock.ts';

const MODULE = new URL('../../src/lib/lock.ts', import.meta.url).pathname;

function temporary(t: { teardown: (work: () => void) => void }): string {
  const path = mkdtempSync(join(tmpdir(), 'understudy-lib-lock-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function child(code: string): ChildProcess {
  return spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test('a lock is one owner’s until it is released, and leaves nothing behind', (t) => {
  const directory = temporary(t);
  const path = join(directory, 'lock');
  const first = tryLock(path, 'one');
  t.true(first.taken);
  const second = tryLock(path, 'two');
  t.false(second.taken);
  if (!second.taken) t.is(second.holder?.command, 'one');
  t.is(readLockOwner(path)?.command, 'one');
  if (first.taken) {
    t.true(first.lock.held());
    first.lock.release();
    t.false(first.lock.held());
  }
  t.is(readLockOwner(path), undefined);
  t.deepEqual(readdirSync(directory), []);
});

test('a lock that somebody removed by hand is no longer held, and its release does not touch the next one', (t) => {
  const path = join(temporary(t), 'lock');
  const first = tryLock(path, 'one');
  rmSync(path);
  const second = tryLock(path, 'two');
  t.true(second.taken);
  if (!first.taken) return t.fail();
  t.false(first.lock.held());
  first.lock.release();
  t.is(readLockOwner(path)?.command, 'two');
});

for (const [what, text] of [
  ['nothing', ''],
  ['no JSON', 'locked by hand'],
  ['another JSON', 'null'],
] as const) {
  test(`a lock file that holds ${what} is nobody’s`, (t) => {
    const path = join(temporary(t), 'lock');
    writeFileSync(path, text);
    t.true(tryLock(path, 'new').taken);
    t.is(readLockOwner(path)?.command, 'new');
  });
}

test('of several processes that find a dead owner’s lock at once, one gets it', async (t) => {
  const directory = temporary(t);
  const path = join(directory, 'lock');
  const dead = {
    pid: process.pid,
    started: 'never',
    host: hostname(),
    user: 'x',
    command: 'dead',
    since: '',
  };
  // Each of them takes the lock, writes down that it had it, and gives it to the next as a dead owner's.
  const racers = [1, 2, 3, 4].map((name) =>
    child(`
      import { appendFileSync, existsSync, renameSync, writeFileSync } from 'node:fs';
      import { tryLock } from ${JSON.stringify(MODULE)};
      const [path, log, dead] = ${JSON.stringify([path, join(directory, 'log'), JSON.stringify(dead)])};
      while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 1));
      for (let got = 0; got < 25;) {
        const attempt = tryLock(path, 'racer ${name}');
        if (!attempt.taken) { await new Promise((resolve) => setImmediate(resolve)); continue; }
        got++;
        appendFileSync(log, '${name} in\\n');
        appendFileSync(log, '${name} out\\n');
        if (!attempt.lock.held()) appendFileSync(log, '${name} lost it\\n');
        writeFileSync(path + '.dead${name}', dead + got + '${name}');
        renameSync(path + '.dead${name}', path);
      }
    `),
  );
  writeFileSync(path, JSON.stringify(dead));
  for (const [code] of await Promise.all(racers.map((racer) => once(racer, 'exit')))) t.is(code, 0);
  const lines = readFileSync(join(directory, 'log'), 'utf8').trim().split('\n');
  t.is(lines.length, 200);
  for (let at = 0; at < lines.length; at += 2) {
    t.is(lines[at]?.replace('in', 'out'), lines[at + 1], `two were in at once at line ${at}`);
  }
});
