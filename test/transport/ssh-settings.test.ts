import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { UserError } from '../../src/lib/errors.ts';
import { parseJump, resolveRoutes } from '../../src/transport/route.ts';
import { type SshSettings, sshSettings } from '../../src/transport/ssh-settings.ts';
import type { HostAddress } from '../../src/transport/transport.ts';

async function home(t: ExecutionContext, config: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-home-'));
  t.teardown(async () => await rm(directory, { recursive: true }));
  await mkdir(join(directory, '.ssh'));
  await writeFile(join(directory, '.ssh', 'config'), config);
  return directory;
}

test('included files count where they stand', async (t) => {
  const directory = await home(t, 'Include conf.d/*.conf nothing-there\nPort 2200\nHost web1\n  User late\n');
  await mkdir(join(directory, '.ssh', 'conf.d'));
  await writeFile(
    join(directory, '.ssh', 'conf.d', 'a.conf'),
    'Host web1\n  User early\nHost other\n  Port 99\n',
  );
  const { user, port } = sshSettings({ name: 'web1', address: 'web1' }, { home: directory });
  t.deepEqual({ user, port }, { user: 'early', port: 2200 });
});

interface Case {
  readonly title: string;
  readonly config: string;
  readonly host?: Partial<HostAddress>;
  /** `~` stands for the home directory. */
  readonly expected: Partial<SshSettings>;
}

const CASES: readonly Case[] = [
  {
    title: 'without configuration and with a bare host there are defaults',
    config: '',
    expected: {
      address: 'web1',
      port: 22,
      user: userInfo().username,
      hostKeyChecking: 'strict',
      jumps: [],
      connectTimeoutMs: 10_000,
      identitiesOnly: false,
      knownHostsFiles: ['~/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts'],
      keys: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => ({ file: `~/.ssh/${name}`, explicit: false })),
    },
  },
  {
    title: 'the configuration fills in what the inventory leaves out',
    config: `Host web*
  HostName %h.example.com
  Port 2222
  User deploy
  IdentityFile ~/.ssh/%r_key
  IdentitiesOnly yes
  ProxyJump admin@gate:2200,inner
  UserKnownHostsFile ~/.ssh/known_a ~/.ssh/known_b
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking accept-new
  ConnectTimeout 7
  HostKeyAlias the-web
`,
    expected: {
      address: 'web1.example.com',
      port: 2222,
      user: 'deploy',
      keys: [{ file: '~/.ssh/deploy_key', explicit: false }],
      identitiesOnly: true,
      jumps: ['admin@gate:2200', 'inner'],
      knownHostsFiles: ['~/.ssh/known_a', '~/.ssh/known_b', '/dev/null'],
      hostKeyChecking: 'accept-new',
      connectTimeoutMs: 7000,
      hostKeyAlias: 'the-web',
    },
  },
  {
    title: 'the inventory wins over the configuration',
    config: `Host *
  Port 2222
  User deploy
  IdentityFile ~/.ssh/theirs
  ProxyJump gate
  UserKnownHostsFile ~/.ssh/known_a
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking no
  ConnectTimeout 7
`,
    host: {
      port: 22,
      user: 'root',
      privateKeyFile: '~/mine',
      jumps: [],
      knownHostsFile: '~/known',
      hostKeyChecking: 'strict',
      connectTimeoutMs: 1000,
    },
    expected: {
      port: 22,
      user: 'root',
      keys: [
        { file: '~/mine', explicit: true },
        { file: '~/.ssh/theirs', explicit: false },
      ],
      jumps: [],
      knownHostsFiles: ['~/known', '/dev/null'],
      hostKeyChecking: 'strict',
      connectTimeoutMs: 1000,
    },
  },
  {
    title: 'the first value of the configuration wins, and other hosts do not matter',
    config: 'Host db*\n  User wrong\nHost web1\n  User first\nHost *\n  User second\n',
    expected: { user: 'first' },
  },
  {
    title: 'yes and no have synonyms, and times have units',
    config: `IdentitiesOnly true
PubkeyAuthentication false
StrictHostKeyChecking false
VerifyHostKeyDNS false
ConnectTimeout 1m
ServerAliveInterval 1m30s
`,
    expected: {
      identitiesOnly: true,
      authentications: ['password', 'keyboard-interactive'],
      hostKeyChecking: 'accept-new',
      connectTimeoutMs: 60_000,
      aliveIntervalMs: 90_000,
    },
  },
  {
    title: 'IdentityFile none means no key at all',
    config: 'IdentityFile none\n',
    expected: { keys: [] },
  },
  {
    title: 'Match sees what the command line and the inventory say',
    config: `Match host real
  User there
Match exec "test %p = 2222"
  ConnectTimeout 5
Match !all
  HostKeyAlias never
`,
    host: { port: 2222, sshOptions: { hostname: ['real'] } },
    expected: { address: 'real', user: 'there', connectTimeoutMs: 5000 },
  },
  {
    title: 'a directory among the included files says nothing',
    config: 'Include ~/*\nUser joe\n',
    expected: { user: 'joe' },
  },
  {
    title: 'several known_hosts files on the command line are several, and none is none',
    config: '',
    host: { sshOptions: { userknownhostsfile: ['/k/a /k/b'], globalknownhostsfile: ['none'] } },
    expected: { knownHostsFiles: ['/k/a', '/k/b'] },
  },
  {
    title: 'names of directives are of any case',
    config: 'host web1\n  hostname 10.0.0.1\n  USER joe\n',
    expected: { address: '10.0.0.1', user: 'joe' },
  },
  {
    title: 'a ProxyCommand that only forwards is a jump',
    config: 'Host web1\n  ProxyCommand ssh -W %h:%p admin@gate\n',
    expected: { jumps: ['admin@gate'] },
  },
  {
    title: 'ProxyJump none is no jump',
    config: 'Host web1\n  ProxyJump none\nHost *\n  ProxyJump gate\n',
    expected: { jumps: [] },
  },
  {
    title: 'what Vagrant writes is understood',
    config: `Host web1
  HostName 127.0.0.1
  User vagrant
  Port 2222
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  PasswordAuthentication no
  IdentityFile "/home/me/a b/private_key"
  IdentitiesOnly yes
  LogLevel FATAL
`,
    expected: {
      address: '127.0.0.1',
      port: 2222,
      user: 'vagrant',
      keys: [{ file: '/home/me/a b/private_key', explicit: false }],
      hostKeyChecking: 'accept-new',
      knownHostsFiles: ['/dev/null', '/etc/ssh/ssh_known_hosts'],
    },
  },
];

for (const { title, config, host, expected } of CASES) {
  test(title, async (t) => {
    const directory = await home(t, config);
    const actual = sshSettings({ name: 'web1', address: 'web1', ...host }, { home: directory });
    const shown = JSON.parse(JSON.stringify(actual).replaceAll(directory, '~')) as SshSettings;
    t.like(shown, expected);
  });
}

const REFUSED: readonly (readonly [config: string, message: RegExp])[] = [
  ['Match localnetwork 10.0.0.0/8\n  Port 2222\n', /:1:1: Match localnetwork is not supported/],
  ['Host other\nMatch tagged x\n', /:2:1: Match tagged is not supported/],
  ['Host web1\n  Port\n', /:2:3: the option port has no value/],
  ['Ciphers no-such\n', /Ciphers no-such leaves nothing to offer/],
  ['PreferredAuthentications hostbased\n', /leaves no way to log in/],
  ['AddressFamily ipx\n', /AddressFamily ipx; expected any/],
  [
    'Host web1\n  CertificateFile ~/.ssh/cert.pub\n',
    /option CertificateFile .* is not supported; certificates/,
  ],
  ['BindAddress 10.0.0.1\n', /option BindAddress \(10\.0\.0\.1\) is not supported/],
  ['CertificateFile ~/c.pub\n', /option CertificateFile \(~\/c\.pub\) is not supported/],
  ['NoSuchOption yes\n', /option nosuchoption is not known/],
  ['Host web1\n  Port ssh\n', /port ssh, which is not a number/],
  ['Include config\n', /too deep/],
  ['Host web1\n  IdentityFile ~/%z\n', /uses %z/],
  ['Port 70000\n', /Port 70000; expected 1 to 65535/],
  ['ConnectTimeout soon\n', /connecttimeout soon; expected 90 or 1m30s/],
  ['Match\n  Port 1\n', /:1:1: Match has no criterion/],
  ['IdentityFile ~root/.ssh/k\n', /in the home of another user/],
  ['Host web1\n  StrictHostKeyChecking perhaps\n', /StrictHostKeyChecking perhaps/],
];

for (const config of [
  'ForwardAgent no\nControlMaster auto\nControlPersist 60s\nSendEnv LANG LC_*\nHashKnownHosts yes\n',
  'IgnoreUnknown UseKeychain,Apple*\nUseKeychain yes\nAppleThing 1\n',
]) {
  test(`what has no effect on us is let pass: ${JSON.stringify(config)}`, async (t) => {
    const directory = await home(t, config);
    t.notThrows(() => sshSettings({ name: 'web1', address: 'web1' }, { home: directory }));
  });
}

test('the command line goes before the files', async (t) => {
  const directory = await home(
    t,
    'Host web1\n  ProxyJump gate\n  ServerAliveInterval 9\n  IdentityFile /two\n  ConnectTimeout 7\n',
  );
  const settings = sshSettings(
    {
      name: 'web1',
      address: 'web1',
      user: 'joe',
      sshOptions: {
        proxycommand: ['relay %r@%h:%p %%'],
        identityfile: ['/one'],
        serveraliveinterval: ['0'],
        serveralivecountmax: ['5'],
      },
    },
    { home: directory },
  );
  t.like(settings, {
    jumps: [],
    proxyCommand: 'relay joe@web1:22 %',
    aliveIntervalMs: 0,
    aliveCountMax: 5,
    connectTimeoutMs: 7000,
  });
  t.deepEqual(
    settings.keys.map((key) => key.file),
    ['/one', '/two'],
  );
});

test('a user name with a meaning to the shell is not given to ProxyCommand', async (t) => {
  const directory = await home(t, 'ProxyCommand relay %r\n');
  const settings = (user: string) =>
    sshSettings({ name: 'web1', address: 'web1', user }, { home: directory }).proxyCommand;
  t.is(settings('joe'), 'relay joe');
  t.throws(() => settings('joe;reboot'), { instanceOf: UserError, message: /mean something to the shell/ });
});

for (const [config, message] of REFUSED) {
  test(`what is not understood is refused: ${JSON.stringify(config)}`, async (t) => {
    const directory = await home(t, config);
    t.throws(() => sshSettings({ name: 'web1', address: 'web1' }, { home: directory }), {
      instanceOf: UserError,
      message,
    });
  });
}

const JUMPS: readonly (readonly [spec: string, expected: ReturnType<typeof parseJump>])[] = [
  ['gate', { host: 'gate' }],
  ['admin@gate', { user: 'admin', host: 'gate' }],
  ['admin@gate:2200', { user: 'admin', host: 'gate', port: 2200 }],
  ['[fe80::1]:2200', { host: 'fe80::1', port: 2200 }],
  ['ssh://admin@gate:2200', { user: 'admin', host: 'gate', port: 2200 }],
  ['two words', undefined],
  ['', undefined],
];

for (const [spec, expected] of JUMPS) {
  test(`"${spec}" ${expected ? 'is' : 'is not'} a jump host`, (t) => {
    t.deepEqual(parseJump(spec), expected);
  });
}

function hops(host: HostAddress, hosts: readonly HostAddress[], directory: string): string[] {
  return ways(host, hosts, directory)[0] ?? [];
}

function ways(host: HostAddress, hosts: readonly HostAddress[], directory: string): string[][] {
  const byName = (name: string) => hosts.find((one) => one.name === name);
  return resolveRoutes(host, { hosts: byName, home: directory }).map((route) =>
    route.map((hop) => `${hop.user}@${hop.address}:${hop.port}`),
  );
}

test('a jump host of the inventory is what the inventory says', async (t) => {
  const directory = await home(t, '');
  const gate: HostAddress = { name: 'lb1', address: '10.0.0.1', port: 2200, user: 'ops' };
  const web: HostAddress = { name: 'web1', address: '10.0.0.2', user: 'root', jumps: ['lb1', 'joe@inner'] };
  t.deepEqual(hops(web, [gate], directory), ['ops@10.0.0.1:2200', 'joe@inner:22', 'root@10.0.0.2:22']);
});

test('a jump host may need a jump host itself', async (t) => {
  const directory = await home(t, 'Host inner\n  ProxyJump outer\nHost web1\n  ProxyJump inner\n');
  t.deepEqual(hops({ name: 'web1', address: 'web1', user: 'u' }, [], directory), [
    'u@outer:22',
    'u@inner:22',
    'u@web1:22',
  ]);
});

test('a jump host shares the key of its target, but never the password', async (t) => {
  const directory = await home(t, '');
  const { Secret } = await import('../../src/lib/secret.ts');
  const [route] = resolveRoutes(
    { name: 'web1', address: 'web1', jumps: ['gate'], privateKeyFile: '/key', password: new Secret('pass') },
    { home: directory },
  );
  const jump = route?.[0];
  t.deepEqual(jump?.keys, [{ file: '/key', explicit: true }]);
  t.is(jump?.password, undefined);
});

test('jump hosts that lead back to themselves are refused', async (t) => {
  const directory = await home(t, 'Host *\n  ProxyJump gate\n  User u\n');
  t.throws(() => hops({ name: 'web1', address: 'web1' }, [], directory), {
    instanceOf: UserError,
    message: /its jump hosts lead back to itself/,
  });
});

test('each alternative is a route of its own, also those of a jump host', async (t) => {
  const directory = await home(t, '');
  const hosts: HostAddress[] = [
    { name: 'lb1', address: '10.0.0.1', user: 'ops' },
    { name: 'lb2', address: '10.0.0.2', user: 'ops' },
    { name: 'web1', address: '10.1.0.1', user: 'ops', alternatives: [['lb1'], ['lb2']] },
  ];
  const inner: HostAddress = { name: 'in', address: '10.2.0.1', user: 'ops', alternatives: [['web1'], []] };
  t.deepEqual(ways(inner, hosts, directory), [
    ['ops@10.0.0.1:22', 'ops@10.1.0.1:22', 'ops@10.2.0.1:22'],
    ['ops@10.0.0.2:22', 'ops@10.1.0.1:22', 'ops@10.2.0.1:22'],
    ['ops@10.2.0.1:22'],
  ]);
});
