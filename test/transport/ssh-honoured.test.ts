import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { sshTransport } from '../../src/transport/ssh.ts';
import { TransportError } from '../../src/transport/transport.ts';
import { type SshdOptions, startSshd, type TestSshd } from './sshd.ts';

/*
 * Options of ssh_config that change what is said to a real sshd.
 */

async function server(t: ExecutionContext, options: SshdOptions): Promise<TestSshd> {
  const started = await startSshd(options);
  t.teardown(started.stop);
  return started;
}

/** What a command on the host prints, or why there is no way in. */
async function ask(t: ExecutionContext, target: TestSshd, lines: readonly string[], script = 'echo in') {
  const config = join(target.directory, `config${lines.length}${lines.join('').length}`);
  await writeFile(config, ['Host *', ...lines].join('\n  '));
  const ssh = sshTransport();
  t.teardown(ssh.close);
  try {
    const box = await ssh.connect(target.address({ sshConfigFile: config }));
    return (await box.run(script)).stdout.toString().trim();
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    return error.message;
  }
}

const OLD_SERVERS: readonly (readonly [says: string, needs: string, options: SshdOptions])[] = [
  ['Ciphers aes256-cbc', 'Ciphers +aes256-cbc', { config: ['UsePAM no', 'Ciphers aes256-cbc'] }],
  ['MACs hmac-sha1', 'MACs +hmac-sha1', { config: ['UsePAM no', 'Ciphers aes128-ctr', 'MACs hmac-sha1'] }],
  [
    'KexAlgorithms diffie-hellman-group14-sha1',
    'KexAlgorithms +diffie-hellman-group14-sha1',
    { config: ['UsePAM no', 'KexAlgorithms diffie-hellman-group14-sha1'] },
  ],
  [
    'HostKeyAlgorithms ssh-rsa',
    'HostKeyAlgorithms +ssh-rsa',
    { hostKeys: ['rsa'], config: ['UsePAM no', 'HostKeyAlgorithms ssh-rsa'] },
  ],
];

for (const [says, needs, options] of OLD_SERVERS) {
  test(`a server with ${says} is reached with ${needs}, and only with it`, async (t) => {
    const target = await server(t, options);
    t.regex(await ask(t, target, []), /handshake|algorithm/i);
    t.is(await ask(t, target, [needs]), 'in');
  });
}

test('an old kind of host key that the configuration brings back is shown to whoever asks for the keys', async (t) => {
  const target = await server(t, { hostKeys: ['rsa'], config: ['UsePAM no', 'HostKeyAlgorithms ssh-rsa'] });
  const ssh = sshTransport();
  t.teardown(ssh.close);
  const config = join(target.directory, 'config');
  await writeFile(config, 'HostKeyAlgorithms +ssh-rsa\n');
  const shown = await ssh.hostKeys(target.address({ sshConfigFile: config }));
  t.deepEqual(
    shown.keys.map((key) => [key.algorithm, key.verdict.kind]),
    [['ssh-rsa', 'known']],
  );
});

test('keys that PubkeyAcceptedAlgorithms leaves out are not shown', async (t) => {
  const target = await server(t, {});
  t.is(await ask(t, target, ['PubkeyAcceptedAlgorithms ssh-ed25519']), 'in');
  t.regex(
    await ask(t, target, ['PubkeyAcceptedAlgorithms rsa-sha2-512']),
    /is of the type ssh-ed25519, which PubkeyAcceptedAlgorithms leaves out/,
  );
});

test('a way to log in that the configuration forbids is not tried', async (t) => {
  const target = await server(t, {});
  const said = await ask(t, target, ['PubkeyAuthentication no']);
  t.regex(said, /the ssh configuration allows only password, keyboard-interactive/);
});

test('an address of the other family is not taken', async (t) => {
  const target = await server(t, {});
  t.is(await ask(t, target, ['AddressFamily inet']), 'in');
  t.not(await ask(t, target, ['AddressFamily inet6']), 'in');
});

test('the agent is lent to the host when the configuration says so, and not otherwise', async (t) => {
  const target = await server(t, {});
  const socket = join(target.directory, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => agent.kill());
  await once(agent.stdout, 'data');
  execFileSync('ssh-add', ['-q', target.userKey], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  const list = 'ssh-add -l 2>&1 || :';
  t.regex(await ask(t, target, [`IdentityAgent ${socket}`, 'ForwardAgent yes'], list), /ED25519/);
  t.notRegex(await ask(t, target, [`IdentityAgent ${socket}`], list), /ED25519/);
});

test('a host that takes no agent is worked on without it', async (t) => {
  const target = await server(t, { config: ['UsePAM no', 'AllowAgentForwarding no'] });
  const socket = join(target.directory, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => agent.kill());
  await once(agent.stdout, 'data');
  t.is(await ask(t, target, [`IdentityAgent ${socket}`, 'ForwardAgent yes']), 'in');
});
