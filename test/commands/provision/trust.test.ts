import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { parseKnownHosts } from '../../../src/transport/known-hosts.ts';
import { keygen, startSshd, type TestSshd } from '../../transport/sshd.ts';

const run = promisify(execFile);
const PROGRAM = new URL('../../../src/bin/provision.ts', import.meta.url).pathname;

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function inventoryFor(server: TestSshd): Promise<string> {
  const directory = join(server.directory, 'inventory');
  await mkdir(directory);
  const { user, port } = server.address();
  await writeFile(
    join(directory, 'hosts.yml'),
    `all:
  hosts:
    box:
      ansible_host: 127.0.0.1
      ansible_port: ${port}
      ansible_user: ${user}
      ansible_ssh_common_args: -F /dev/null -o UserKnownHostsFile=${server.knownHosts}
`,
  );
  return directory;
}

async function provision(t: ExecutionContext, ...args: readonly string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run(process.execPath, [PROGRAM, ...args]);
    return { status: 0, stdout, stderr };
  } catch (error) {
    const failed = error as { code: number; stdout: string; stderr: string };
    t.log(failed.stderr);
    return { status: failed.code, stdout: failed.stdout, stderr: failed.stderr };
  }
}

test('provision trust shows keys, records them when told to, and guards those recorded', async (t) => {
  const server = await startSshd({ hostKeys: ['ed25519', 'ecdsa'] });
  t.teardown(server.stop);
  const inventory = await inventoryFor(server);
  const genuine = await readFile(server.knownHosts, 'utf8');
  const expected =
    (await run('ssh-keygen', ['-lf', join(server.directory, 'host_ed25519.pub')])).stdout.split(' ')[1] ??
    '?';
  await writeFile(server.knownHosts, '');

  const shown = await provision(t, 'trust', '-i', inventory, '--show');
  t.is(shown.status, 0, shown.stderr);
  t.true(shown.stdout.includes(`ssh-ed25519 ${expected}  new`), shown.stdout);
  t.is(await readFile(server.knownHosts, 'utf8'), '');

  const unasked = await provision(t, 'trust', '-i', inventory, 'box');
  t.is(unasked.status, 1);
  t.regex(unasked.stderr, /without a terminal/);

  const trusted = await provision(t, 'trust', '-i', inventory, '--yes', 'box');
  t.is(trusted.status, 0, trusted.stderr);
  const keys = (text: string) =>
    parseKnownHosts(text, 'f')
      .map((entry) => `${entry.names} ${entry.key.toString('base64')}`)
      .sort();
  t.deepEqual(keys(await readFile(server.knownHosts, 'utf8')), keys(genuine));
  t.regex((await provision(t, 'trust', '-i', inventory, '--yes')).stdout, /nothing to record/);

  keygen(join(server.directory, 'old'), 'ed25519');
  const old = `[127.0.0.1]:${server.port} ${await readFile(join(server.directory, 'old.pub'), 'utf8')}`;
  await writeFile(server.knownHosts, old);
  const guarded = await provision(t, 'trust', '-i', inventory, '--yes', 'box');
  t.is(guarded.status, 1);
  t.regex(guarded.stderr, /add --replace/);
  t.is(await readFile(server.knownHosts, 'utf8'), old);
  t.is((await provision(t, 'trust', '-i', inventory, '--yes', '--replace', 'box')).status, 0);
  t.deepEqual(keys(await readFile(server.knownHosts, 'utf8')), keys(genuine));
});
