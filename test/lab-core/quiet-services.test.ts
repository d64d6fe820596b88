import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { withoutServices } from '../../src/lab/quiet-services.ts';

function policyIn(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-policy-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return join(directory, 'policy-rc.d');
}

const asked = (policy: string): number | null => spawnSync(policy, ['nginx', 'start']).status;

test('while packages are installed no service may start, and afterwards all may', async (t) => {
  const policy = policyIn(t);
  await withoutServices([], async () => void t.is(asked(policy), 101), { policy });
  t.false(existsSync(policy));
});

test('it is the same when the installation fails', async (t) => {
  const policy = policyIn(t);
  const failing = withoutServices([], async () => await Promise.reject(new Error('no packages')), { policy });
  await t.throwsAsync(failing, { message: 'no packages' });
  t.false(existsSync(policy));
});

test("a rule of the machine's own stays as it is", async (t) => {
  const policy = policyIn(t);
  writeFileSync(policy, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  await withoutServices([], async () => void t.is(asked(policy), 0), { policy });
  t.is(readFileSync(policy, 'utf8'), '#!/bin/sh\nexit 0\n');
});

test('one that a killed process has left forbids nothing, and is gone', async (t) => {
  const policy = policyIn(t);
  await withoutServices(
    [],
    async () => {
      const gone = spawnSync('true').pid;
      const text = readFileSync(policy, 'utf8').replace(`kill -0 ${process.pid}`, `kill -0 ${gone}`);
      rmSync(policy);
      writeFileSync(policy, text, { mode: 0o755 });
      t.is(asked(policy), 0);
      t.false(existsSync(policy));
    },
    { policy },
  );
});
