import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import test from 'ava';
import fc from 'fast-check';

import { type SshSettings, sshSettings } from '../../src/transport/ssh-settings.ts';
import { needsProgram, testWith } from '../needs.ts';

/*
 * Generated configurations, read by the real ssh (`ssh -G`) and by us: both have to see the same.
 */

const HOSTS = ['web1', 'web2', 'db1.example.com', 'WEB1'] as const;

const pattern = fc.constantFrom(
  'web1',
  'web*',
  '*',
  '!web2 *',
  'db?.example.com web?',
  '"web1"',
  'web1 web2',
  '*.example.com',
  'Web1',
);
const criterion = fc.oneof(
  fc.constantFrom('all', 'host web*', 'host "web1,db*"', 'originalhost web2', 'user joe', 'host *,!web1'),
  fc.constantFrom('user joe,root host web1', 'originalhost *.example.com host 10.*'),
  fc.constantFrom(
    'final all',
    'canonical',
    'final host *.internal',
    '!final',
    '!host web1',
    'localuser root',
  ),
  fc.constantFrom('exec "true"', 'host web1 exec "test %h = web1"', '!exec "true"'),
);
const option = fc.oneof(
  fc.constantFrom('Port 2200', 'Port=2201', 'port = 2202', 'Port "2203"'),
  fc.constantFrom('HostName 10.0.0.7', 'HostName %h.internal', 'hostname gate'),
  fc.constantFrom('User joe', 'User root', 'USER "ann"'),
  fc.constantFrom('IdentityFile ~/.ssh/a', 'IdentityFile "~/.ssh/b c"', 'IdentityFile /keys/%r@%h'),
  fc.constantFrom('IdentitiesOnly yes', 'IdentitiesOnly no'),
  fc.constantFrom('ProxyJump bastion', 'ProxyJump joe@bastion:22', 'ProxyJump none', 'ProxyCommand nc %h %p'),
  fc.constantFrom('ConnectTimeout 7', 'ServerAliveInterval 9', 'ServerAliveCountMax 4'),
  fc.constantFrom('HostKeyAlias shared', 'StrictHostKeyChecking accept-new', 'StrictHostKeyChecking no'),
  fc.constantFrom('UserKnownHostsFile /k/a /k/b', 'UserKnownHostsFile ~/.ssh/k "/k/b"', 'Compression yes'),
  fc.constantFrom('AddressFamily inet6', 'ForwardAgent yes', 'PasswordAuthentication no'),
  fc.constantFrom('Ciphers aes256-ctr,aes128-ctr', 'MACs hmac-sha2-512', 'KexAlgorithms ecdh-sha2-nistp256'),
  fc.constantFrom('# a comment', '', '  # Port 9'),
);
const section = fc
  .tuple(
    fc.oneof(
      pattern.map((text) => `Host ${text}`),
      criterion.map((text) => `Match ${text}`),
    ),
    fc.array(option, { maxLength: 5 }),
  )
  .map(([head, lines]) => [head, ...lines.map((line) => `  ${line}`)]);
const config = fc
  .tuple(fc.array(option, { maxLength: 3 }), fc.array(section, { maxLength: 4 }))
  .map(([top, sections]) => `${[...top, ...sections.flat()].join('\n')}\n`);

const testSsh = testWith(needsProgram('ssh', 'openssh-client'), test);

testSsh('a configuration means to us what it means to ssh', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'understudy-ssh-g-'));
  t.teardown(async () => await rm(home, { recursive: true }));
  await mkdir(join(home, '.ssh'));
  const file = join(home, '.ssh', 'config');
  await fc.assert(
    fc.asyncProperty(config, fc.constantFrom(...HOSTS), async (text, host) => {
      await writeFile(file, text);
      t.deepEqual(
        ours(sshSettings({ name: host, address: host, sshConfigFile: file }, { home })),
        theirs(execFileSync('/usr/bin/ssh', ['-T', '-G', '-F', file, host], { encoding: 'utf8' }), home),
        `${host}\n${text}`,
      );
    }),
    { numRuns: 300 },
  );
});

type Seen = Readonly<Record<string, unknown>>;

function ours(settings: SshSettings): Seen {
  const { algorithms } = settings;
  return {
    hostname: settings.address.toLowerCase(),
    port: settings.port,
    user: settings.user,
    jumps: settings.jumps,
    // ssh writes the name of a host in lower case.
    proxyCommand: settings.proxyCommand?.toLowerCase(),
    timeout: settings.connectTimeoutMs === 10_000 ? undefined : settings.connectTimeoutMs,
    alive: settings.aliveIntervalMs ?? 0,
    aliveCount: settings.aliveCountMax ?? 3,
    alias: settings.hostKeyAlias,
    checking: settings.hostKeyChecking,
    known: settings.knownHostsFiles.slice(0, -1),
    only: settings.identitiesOnly,
    family: settings.addressFamily,
    password: settings.authentications.includes('password'),
    keys: settings.keys.some((key) => key.file.endsWith('id_rsa'))
      ? []
      : settings.keys.map((key) => key.file.toLowerCase()),
    cipher: algorithms.cipher.length === 2 ? algorithms.cipher : 'usual',
    hmac: algorithms.hmac.length === 1 ? algorithms.hmac : 'usual',
    kex: algorithms.kex.length === 1 ? algorithms.kex : 'usual',
  };
}

/** The same of what `ssh -G` prints; it expands neither `~` nor the tokens of IdentityFile and ProxyCommand. */
function theirs(printed: string, home: string): Seen {
  const all = new Map<string, string[]>();
  for (const line of printed.split('\n')) {
    const [name = '', ...words] = line.split(' ');
    all.set(name, [...(all.get(name) ?? []), words.join(' ')]);
  }
  const first = (name: string): string | undefined => all.get(name)?.[0];
  const host = first('hostname') ?? '';
  const port = first('port') ?? '';
  const user = first('user') ?? '';
  const expand = (text: string) =>
    text
      .replace(/^~(?=\/)/, home)
      .replace(new RegExp(`^${userInfo().homedir}/\\.ssh(?=/)`), join(home, '.ssh'))
      .replaceAll('%h', host)
      .replaceAll('%r', user)
      .replaceAll('%p', port);
  const identities = (all.get('identityfile') ?? []).map(expand);
  const jump = first('proxyjump');
  const command = first('proxycommand');
  const timeout = first('connecttimeout');
  const files = (text: string) => text.split(' ').map(expand);
  const listed = (name: string, count: number) => {
    const list = first(name)?.split(',') ?? [];
    return list.length === count ? list : 'usual';
  };
  return {
    hostname: host.toLowerCase(),
    port: Number(port),
    user,
    jumps: jump === undefined || jump === 'none' ? [] : jump.split(','),
    proxyCommand: command === undefined || command === 'none' ? undefined : expand(command).toLowerCase(),
    timeout: timeout === undefined || timeout === 'none' ? undefined : Number(timeout) * 1000,
    alive: Number(first('serveraliveinterval')) * 1000,
    aliveCount: Number(first('serveralivecountmax')),
    alias: first('hostkeyalias'),
    checking: /^(?:accept-new|false|no|off)$/.test(first('stricthostkeychecking') ?? '')
      ? 'accept-new'
      : 'strict',
    // Without the option ssh has a second file, of long ago.
    known: files(first('userknownhostsfile') ?? '').filter((file) => !file.endsWith('known_hosts2')),
    only: first('identitiesonly') === 'yes',
    family: { any: 0, inet: 4, inet6: 6 }[first('addressfamily') ?? 'any'],
    password: first('passwordauthentication') === 'yes',
    keys: identities.some((file) => file.endsWith('id_rsa'))
      ? []
      : identities.map((file) => file.toLowerCase()),
    cipher: listed('ciphers', 2),
    hmac: listed('macs', 1),
    kex: listed('kexalgorithms', 1),
  };
}
