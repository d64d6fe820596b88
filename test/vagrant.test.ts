import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { run } from '../src/lib/process.ts';

const project = fileURLToPath(new URL('../', import.meta.url));

test('vagrant accepts the Vagrantfile', async (t) => {
  const version = await run(['vagrant', '--version']);
  if (version.status !== 0) {
    if (process.env['CI']) t.fail('vagrant is not installed: apt-get install vagrant');
    else t.pass('vagrant is not installed here');
    return;
  }
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
