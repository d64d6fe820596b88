import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { run } from '../src/lib/process.ts';
import { needsProgram, testWith } from './needs.ts';

const project = fileURLToPath(new URL('../', import.meta.url));

testWith(needsProgram('vagrant', 'vagrant'), test)('vagrant accepts the Vagrantfile', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'vagrant-'));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  // Providers are not needed to judge the file; the state of machines is kept away from the user's own.
  const outcome = await run(['vagrant', 'validate', '--ignore-provider'], {
    cwd: project,
    env: { ...process.env, VAGRANT_HOME: home, VAGRANT_DOTFILE_PATH: join(home, 'state') },
    timeoutMs: 90_000,
  });
  t.is(outcome.status, 0, outcome.stdout + outcome.stderr);
});
