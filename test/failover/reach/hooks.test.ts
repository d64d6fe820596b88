import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { hookRunner } from '../../../src/failover/reach/hooks.ts';
import type { HookEvent } from '../../../src/failover/reach/ports.ts';
import { UserError } from '../../../src/lib/errors.ts';

const EVENT: HookEvent = {
  cluster: 'shop',
  id: 'abc',
  epoch: 7,
  kind: 'failover',
  from: 'db1',
  to: 'db2',
  reason: 'DeadPrimary',
  lostGtids: '',
};

function hook(t: ExecutionContext, script: string): { path: string; at(name: string): string } {
  const directory = mkdtempSync(join(tmpdir(), 'hook-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'hook');
  writeFileSync(path, `#!/bin/sh\ncd '${directory}' || exit 9\n${script}\n`);
  chmodSync(path, 0o755);
  return { path, at: (name) => join(directory, name) };
}

test('a hook gets the event as JSON on stdin, and its name as argument', async (t) => {
  const { path, at } = hook(t, 'echo "$1" > name; cat > event; echo all is well');
  const said: string[] = [];
  const run = hookRunner(
    { 'before-failover': path },
    { onOutput: (name, text) => void said.push(`${name}: ${text}`) },
  );
  await run('before-failover', EVENT);
  t.is(readFileSync(at('name'), 'utf8'), 'before-failover\n');
  t.deepEqual(JSON.parse(readFileSync(at('event'), 'utf8')), { hook: 'before-failover', ...EVENT });
  t.deepEqual(said, ['before-failover: all is well']);
});

test('a hook that says no gives its reason, without secrets', async (t) => {
  const { path } = hook(t, 'echo "the billing run uses db1, password hunter2secret" >&2; exit 4');
  const run = hookRunner(
    { 'before-switchover': path },
    { redact: (text) => text.replaceAll('hunter2secret', '***') },
  );
  const failure = await t.throwsAsync(run('before-switchover', EVENT), { instanceOf: UserError });
  t.is(
    failure?.message,
    `the hook before-switchover (${path}) ended with status 4: the billing run uses db1, password ***`,
  );
});

test('a hook that does not end is ended, with all that it has started', async (t) => {
  const { path, at } = hook(t, '(sleep 1; touch late) & echo $! > child; wait');
  const run = hookRunner({ stonith: path });
  const limit = new AbortController();
  const running = run('stonith', EVENT, limit.signal);
  while (!existsSync(at('child')) || readFileSync(at('child'), 'utf8') === '') await wait(5);
  limit.abort();
  await t.throwsAsync(running, { message: /did not end in time/ });
  const pid = Number(readFileSync(at('child'), 'utf8'));
  const end = performance.now() + 10_000;
  const isAlive = (): boolean => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] !== 'Z';
    } catch {
      return false;
    }
  };
  while (isAlive() && performance.now() < end) await wait(5);
  t.false(isAlive());
  t.false(existsSync(at('late')));
});

test('a hook that cannot be run is a failure, and one that nobody set is none', async (t) => {
  await t.throwsAsync(hookRunner({ detected: '/nowhere' })('detected', EVENT), {
    message: /cannot be run: .*ENOENT/,
  });
  await t.notThrowsAsync(hookRunner({})('detected', EVENT));
});

test('a hook that reads nothing is no failure, however much it is told', async (t) => {
  const { path } = hook(t, 'exec true');
  await t.notThrowsAsync(
    hookRunner({ 'after-promotion': path })('after-promotion', {
      ...EVENT,
      lostGtids: 'x'.repeat(1_000_000),
    }),
  );
});
