import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { cgroupMount, killGroup } from '../../src/lab/cgroup.ts';
import { exec, freeze, heal, isolate, kill, start, status, thaw } from '../../src/lab/faults.ts';
import { down, type Lab, reset, up } from '../../src/lab/lab.ts';
import { backAddress, CACHE_DIRECTORY, hostSpec, labNames, labPaths } from '../../src/lab/layout.ts';
import { run } from '../../src/lib/process.ts';
import { firstMissing, needsProgram, needsRoot, testWith } from '../needs.ts';

/*
 * On real hosts, in a lab of its own that runs beside any other. The tests follow one another: a lab is made once,
 * and each test leaves it whole.
 */

const NAME = 'selftest';
const names = labNames(NAME);
const LIMIT_SECONDS = 20;

interface Context {
  project: string;
  lab: Lab;
}

const missing = needsRoot();
const serial = testWith(missing, test.serial);
let context: Context;

test.before(async (t) => {
  t.timeout(300_000);
  if (missing !== undefined) return;
  await down({ name: NAME });
  const project = await mkdtemp(join(tmpdir(), 'understudy-'));
  await mkdir(join(project, 'inventory', 'lab', 'group_vars'), { recursive: true });
  await writeFile(join(project, 'inventory', 'lab', 'group_vars', 'all.yml'), 'kept: true\n');
  const lab = await up({ name: NAME, from: project, report: (step) => t.log(step) });
  context = { project, lab };
});

test.after.always(async () => {
  if (missing !== undefined) return;
  await down({ name: NAME });
  if (context) await rm(context.project, { recursive: true, force: true });
});

serial('every host is bare and reached over SSH with strict host keys', async (t) => {
  const script =
    'hostname; sudo -n id -u; systemctl is-system-running --wait; command -v python3 nginx mysqld haproxy ufw; true';
  const answers = await Promise.all(context.lab.hosts.map((host) => ssh(host.name, script)));
  for (const [index, host] of context.lab.hosts.entries())
    t.deepEqual(lines(answers[index]), [host.name, '0', 'running']);
});

const withAnsible = testWith(firstMissing(missing, needsProgram('ansible', 'ansible-core')), test.serial);

withAnsible('Ansible reaches every host with the same inventory', async (t) => {
  const ansible = await run(
    ['ansible', '-i', join(context.lab.inventory, 'hosts.yml'), 'all', '-m', 'raw', '-a', 'hostname'],
    { cwd: '/', env: { ...process.env, ANSIBLE_NOCOLOR: '1' }, timeoutMs: 60_000 },
  );
  t.is(ansible.status, 0, ansible.stdout + ansible.stderr);
  for (const host of context.lab.hosts) t.true(ansible.stdout.includes(`${host.name} | CHANGED`), host.name);
});

serial('the private key is private, and group variables are those of the default lab', async (t) => {
  const { inventory } = context.lab;
  t.is((await stat(join(inventory, 'id_ed25519'))).mode & 0o777, 0o600);
  t.is(await readFile(join(inventory, 'group_vars', 'all.yml'), 'utf8'), 'kept: true\n');
});

serial('a second up is quick and leaves running hosts alone', async (t) => {
  const before = await bootId('web1');
  t.true((await timed(() => up({ name: NAME, from: context.project }))) < LIMIT_SECONDS);
  t.is(await bootId('web1'), before);
});

serial('the operator and the client reach the balancers, and nothing behind them', async (t) => {
  const { network } = context.lab;
  const connect = (address: string): readonly string[] => ['bash', '-c', `exec 3<>/dev/tcp/${address}/22`];
  for (const balancer of [network.operator.replace(/1$/, '11'), network.operator.replace(/1$/, '12')]) {
    t.is((await run(connect(balancer), { timeoutMs: 3000 })).status, 0);
    t.is((await exec('client', connect(balancer), { name: NAME, timeoutMs: 3000 })).status, 0);
  }
  const web1 = backAddress(network, hostSpec(context.lab.hosts, 'web1'));
  t.not((await run(connect(web1), { timeoutMs: 3000 })).status, 0);
  t.not((await exec('client', connect(web1), { name: NAME, timeoutMs: 3000 })).status, 0);
  t.is((await inHost('lb1', connect(web1))).status, 0);
  t.is((await inHost('mon1', connect(web1))).status, 0);
});

serial('a package that one run downloaded is there for the next, which starts from bare hosts', async (t) => {
  t.timeout(180_000);
  const hosts = ['web1', 'web2', 'lb1'];
  const install = async (): Promise<void> => {
    const script = 'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y ufw';
    const results = await Promise.all(hosts.map((host) => inHost(host, ['sh', '-c', script])));
    for (const result of results) t.is(result.status, 0, result.stderr);
  };
  await install();
  t.is((await inHost('lb1', ['ufw', '--force', 'enable'])).status, 0);
  const before = (await status(NAME)).packageCache;
  t.true((await timed(() => reset({ name: NAME }))) < LIMIT_SECONDS);
  t.not((await inHost('web1', ['sh', '-c', 'command -v ufw'])).status, 0);
  await install();
  const after = (await status(NAME)).packageCache;
  t.is(after?.bytesFetched, before?.bytesFetched);
  t.true((after?.bytesServed ?? 0) > (before?.bytesServed ?? 0));
});

serial('a killed host falls silent, keeps its disk, and comes back', async (t) => {
  await inHost('web1', ['sh', '-c', 'echo kept > /root/note']);
  const web1 = backAddress(context.lab.network, hostSpec(context.lab.hosts, 'web1'));
  // Ends with 1 when the peer closed the connection, and above 128 when it said nothing.
  const listen = `exec 3<>/dev/tcp/${web1}/22; read -r -u 3 banner; touch /tmp/listening; read -r -t 2 -u 3 more`;
  const listening = inHost('web2', ['bash', '-c', `rm -f /tmp/listening; ${listen}`]);
  await until(async () => (await inHost('web2', ['test', '-e', '/tmp/listening'])).status === 0);
  await kill('web1', NAME);
  t.true((await listening).status > 128);
  t.is(await stateOf('web1'), 'stopped');
  await start('web1', NAME);
  t.is(await stateOf('web1'), 'running');
  t.is(await ssh('web1', 'sudo cat /root/note'), 'kept\n');
});

serial('the servers are reached through the second balancer when the first has no power', async (t) => {
  await kill('lb1', NAME);
  t.is(await ssh('web3', 'hostname'), 'web3\n');
  await heal(NAME);
  t.is(await stateOf('lb1'), 'running');
});

serial('a host that reboots itself comes back', async (t) => {
  const before = await bootId('web2');
  await run(['ssh', '-F', join(context.lab.inventory, 'ssh_config'), 'web2', 'sudo systemctl reboot']);
  await until(async () => {
    const now = await bootId('web2').catch(() => before);
    return now !== before && now !== '';
  });
  await start('web2', NAME);
  t.is(await ssh('web2', 'hostname'), 'web2\n');
});

serial('a host reboots although a program that was put into it from outside stands still', async (t) => {
  const before = await bootId('web2');
  const stopped = inHost('web2', ['sh', '-c', 'touch /run/here; kill -STOP $$']);
  await until(async () => (await inHost('web2', ['test', '-e', '/run/here'])).status === 0);
  await inHost('web2', ['systemctl', 'reboot']);
  await until(async () => {
    const now = await bootId('web2').catch(() => before);
    return now !== before && now !== '';
  });
  await stopped;
  await start('web2', NAME);
  t.is(await stateOf('web2'), 'running');
});

serial('a frozen host answers nobody until it is thawed', async (t) => {
  await freeze('web3', NAME);
  t.is(await stateOf('web3'), 'frozen');
  const web3 = backAddress(context.lab.network, hostSpec(context.lab.hosts, 'web3'));
  const greet = ['bash', '-c', `exec 3<>/dev/tcp/${web3}/22 && read -r -t 1 -u 3 banner`];
  t.not((await inHost('web1', greet)).status, 0);
  await thaw('web3', NAME);
  t.is((await inHost('web1', greet)).status, 0);
});

serial('an isolated host is cut off from the named peers only, and healed', async (t) => {
  const ping = async (from: string, to: string): Promise<boolean> => {
    const address = backAddress(context.lab.network, hostSpec(context.lab.hosts, to));
    return (await inHost(from, ['ping', '-c', '1', '-W', '1', address])).status === 0;
  };
  await isolate('web1', ['web2'], NAME);
  t.deepEqual(
    [await ping('web1', 'web2'), await ping('web2', 'web1'), await ping('lb1', 'web1')],
    [false, false, true],
  );
  await isolate('web3', [], NAME);
  t.deepEqual([await ping('web3', 'mon1'), await ping('lb2', 'web3')], [false, false]);
  const found = await status(NAME);
  t.deepEqual(
    found.hosts.map((host) => host.isolatedFrom.join()),
    ['', '', 'web2', 'web1', 'everyone', ''],
  );
  await heal(NAME);
  // A neighbour that did not answer is asked again after a second.
  await until(() => ping('web1', 'web2'));
  await until(() => ping('lb2', 'web3'));
  t.deepEqual(
    (await status(NAME)).hosts.flatMap((host) => host.isolatedFrom),
    [],
  );
});

serial(
  'keepalived’s and ufw’s needs are met: addresses, multicast, packet filters and their settings',
  async (t) => {
    const script = [
      'set -e',
      'ip address add 10.83.250.1/32 dev front0',
      'ip link add vmac0 link front0 type macvlan mode private',
      'ip link delete vmac0',
      'sysctl -q -w net.ipv4.ip_nonlocal_bind=1 net.ipv4.conf.all.rp_filter=0',
      'ip address delete 10.83.250.1/32 dev front0',
    ].join('\n');
    const result = await inHost('lb1', ['sh', '-c', script]);
    t.is(result.status, 0, result.stderr);
  },
);

serial('no way into a host gives the right to set the clock, which is this machine’s', async (t) => {
  // Read, and not tried: where it is granted, trying sets the clock of everything that runs here.
  const setTime = 1n << 25n;
  const show = 'grep -E "^Cap(Eff|Bnd)" /proc/self/status';
  const ways = [
    (await inHost('web1', ['sh', '-c', show])).stdout,
    await ssh('web1', `sudo sh -c '${show}'`),
    (await inHost('web1', ['systemd-run', '--quiet', '--pipe', 'sh', '-c', show])).stdout,
  ];
  for (const way of ways) {
    const masks = [...way.matchAll(/\t([0-9a-f]{16})$/gm)].map(([, mask]) => BigInt(`0x${mask}`));
    t.is(masks.length, 2, way);
    for (const mask of masks) t.is(mask & setTime, 0n, way);
  }
});

const damages: readonly (readonly [string, () => Promise<unknown>])[] = [
  [
    'the supervisor of a host is gone',
    async () => killGroup(join(await cgroups(), names.cgroup, 'web1', 'loop')),
  ],
  ['the package cache is gone', async () => killGroup(join(await cgroups(), names.cgroup, 'package-cache'))],
  ['a bridge is gone', () => run(['ip', '-n', names.namespace, 'link', 'delete', 'back'])],
  ['the namespace has lost its name', () => run(['ip', 'netns', 'delete', names.namespace])],
  ['the inventory is gone', () => rm(join(context.lab.inventory, 'hosts.yml'))],
  [
    'a base image was left half built',
    async () => {
      await mkdir(join(CACHE_DIRECTORY, 'partial-000000000000-1', 'etc'), { recursive: true });
    },
  ],
  [
    'the machine was rebooted',
    async () => {
      await killGroup(join(await cgroups(), names.cgroup));
      for (const name of [names.namespace, names.clientNamespace])
        await run(['umount', `/run/netns/${name}`]);
      await run(['ip', 'link', 'delete', names.operatorInterface]);
      await run(['ip', 'route', 'delete', 'unreachable', context.lab.network.backNetwork]);
    },
  ],
];

for (const [what, damage] of damages) {
  serial(`up repairs a lab of which ${what}`, async (t) => {
    t.timeout(120_000);
    await damage();
    t.true((await timed(() => up({ name: NAME, from: context.project }))) < LIMIT_SECONDS);
    const found = await status(NAME);
    t.true(found.network);
    t.not(found.packageCache, null);
    for (const host of found.hosts) t.is(host.state, 'running', host.name);
    t.is(await ssh('web1', 'hostname'), 'web1\n');
    const list = await inHost('web1', ['apt-get', 'update', '-q', '-o', 'APT::Update::Error-Mode=any']);
    t.is(list.status, 0, list.stderr);
  });
}

serial('two runs of up at the same time end well', async (t) => {
  await Promise.all([up({ name: NAME, from: context.project }), up({ name: NAME, from: context.project })]);
  t.is(await ssh('web1', 'hostname'), 'web1\n');
});

serial('a second lab runs beside the first, on other networks', async (t) => {
  const second = 'selftest2';
  t.teardown(() => down({ name: second }));
  const lab = await up({ name: second, from: context.project });
  t.not(lab.network.frontNetwork, context.lab.network.frontNetwork);
  t.is(await ssh('web1', 'hostname'), 'web1\n');
  await down({ name: second });
  t.is(await ssh('web1', 'hostname'), 'web1\n');
});

serial('down leaves nothing but the caches', async (t) => {
  await down({ name: NAME });
  const traces = {
    links: (await run(['ip', '-brief', 'link'])).stdout,
    namespaces: (await run(['ip', 'netns'])).stdout,
    routes: (await run(['ip', 'route', 'show', 'table', 'all'])).stdout,
    mounts: await readFile('/proc/self/mounts', 'utf8'),
    processes: (await run(['ps', '-eo', 'args'])).stdout,
    rules: (await run(['nft', 'list', 'ruleset'], { env: { PATH: '/usr/sbin:/usr/bin' } })).stdout,
  };
  for (const [kind, text] of Object.entries(traces)) {
    const left = text
      .split('\n')
      .filter((line) => line.includes(NAME) || line.includes(prefixOf(context.lab)));
    t.deepEqual(left, [], kind);
  }
  t.false(existsSync(join(await cgroups(), names.cgroup)));
  t.false(existsSync(labPaths(NAME).directory));
  t.deepEqual(await readdir(join(context.project, 'inventory')), ['lab']);
  t.true(existsSync(join(context.project, 'inventory', 'lab', 'group_vars', 'all.yml')));
});

async function ssh(host: string, script: string): Promise<string> {
  const argv = ['ssh', '-F', join(context.lab.inventory, 'ssh_config'), '-o', 'BatchMode=yes', host, script];
  const result = await run(argv, { timeoutMs: 30_000 });
  if (result.status !== 0) throw new Error(`${host}: status ${result.status}: ${result.stderr}`);
  return result.stdout;
}

function inHost(host: string, argv: readonly string[]) {
  return exec(host, argv, { name: NAME, timeoutMs: 120_000 });
}

async function bootId(host: string): Promise<string> {
  return (await inHost(host, ['cat', '/proc/sys/kernel/random/boot_id'])).stdout;
}

async function stateOf(host: string): Promise<string | undefined> {
  return (await status(NAME)).hosts.find((each) => each.name === host)?.state;
}

async function cgroups(): Promise<string> {
  return (await cgroupMount()) ?? '';
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

/** Waits for a condition that is asked at intervals, for want of an event. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited 20 s in vain');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function lines(text: string | undefined): readonly string[] {
  return (text ?? '').trim().split('\n');
}

/** What every address of the lab's front network begins with. */
function prefixOf(lab: Lab): string {
  return lab.network.operator.replace(/1$/, '');
}
