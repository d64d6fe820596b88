import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cgroupMount, killGroup, makeGroup } from '../../../src/lab/cgroup.ts';
import { CACHE_DIRECTORY } from '../../../src/lab/layout.ts';
import { packageCache } from '../../../src/lab/package-cache.ts';
import { output, run } from '../../../src/lib/process.ts';
import { systemPath } from '../../../src/lib/system-path.ts';

/*
 * A machine that has nothing but Node, to do on it what a newcomer does: a minimal Debian tree in namespaces of its own,
 * in which a lab can be made as on a real machine. It reaches the registries of Debian and of npm through a proxy of this
 * process, by whatever way this machine reaches them.
 */

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** A Debian, and where its Node comes from. */
export interface MachineSpec {
  readonly suite: 'bookworm' | 'trixie';
  readonly node: "Debian's" | 'the newest of npm';
}

export interface FreshMachine {
  /** Runs a shell script on the machine, as root, in the checkout. */
  sh(script: string): Promise<{ readonly status: number; readonly output: string }>;
  remove(): Promise<void>;
}

const NAMESPACE = 'understudy-fresh';
const INTERFACE = 'us-fresh';
const DIRECTORY = 'understudy-fresh-';
/** Beyond the networks that labs take. */
const OUTSIDE = '10.83.254.1';
const INSIDE = '10.83.254.2';
const CHECKOUT = '/root/understudy';

/** From this machine's namespaces into the tree: "$1" is the directory of what belongs to the machine. */
const ENTER = `set -eu
echo 0 > "$CGROUP/cgroup.procs"
exec unshare --mount --propagation private --uts --ipc --pid --cgroup --fork --kill-child sh -euc '
hostname fresh
root=$DIRECTORY/root
mount -t overlay overlay -o "lowerdir=$TREE,upperdir=$DIRECTORY/upper,workdir=$DIRECTORY/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
# An overlay cannot lie over an overlay, and the hosts of the lab are overlays.
for kept in var/lib/understudy var/cache/understudy var/tmp; do
  mkdir -p "$root/$kept" "$DIRECTORY/$kept"
  mount --bind "$DIRECTORY/$kept" "$root/$kept"
done
mkdir -p "$root/root/.npm"
mount -t overlay overlay -o "lowerdir=$NPM_CACHE,upperdir=$DIRECTORY/npm-upper,workdir=$DIRECTORY/npm-work" "$root/root/.npm"
mkdir -p "$root/mnt"
cd "$root"
pivot_root . mnt
umount -l /mnt
cd ${CHECKOUT}
exec env -i "$@"' sh "$@"
`;

/** Makes a machine of this kind, with the checkout as it is now on it. */
export async function freshMachine(spec: MachineSpec, log: (line: string) => void): Promise<FreshMachine> {
  const group = join((await cgroupMount()) ?? '', NAMESPACE);
  await tearDown(group);
  const server = await registries();
  const undo: (() => Promise<unknown>)[] = [
    // oxlint-disable-next-line require-await -- all of these are asynchronous
    async () => {
      server.close();
      server.closeAllConnections();
    },
  ];
  const remove = async (): Promise<void> => {
    for (const one of undo.reverse()) await one();
  };
  try {
    undo.push(() => tearDown(group));
    await output(['ip', 'netns', 'add', NAMESPACE]);
    await output([
      'ip',
      'link',
      'add',
      INTERFACE,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      NAMESPACE,
    ]);
    await output(['ip', 'address', 'add', `${OUTSIDE}/30`, 'dev', INTERFACE]);
    await output(['ip', 'link', 'set', INTERFACE, 'up']);
    await output(['ip', '-n', NAMESPACE, '-batch', '-'], {
      input: `link set lo up\nlink set eth0 up\naddress add ${INSIDE}/30 dev eth0\n`,
    });
    server.listen(0, OUTSIDE);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const proxy = `http://${OUTSIDE}:${address.port}`;
    const tree = await treeOf(spec, proxy, log);
    const directory = await mkdtemp(join('/var/tmp', DIRECTORY));
    for (const part of ['upper', 'work', 'root', 'npm-upper', 'npm-work']) await mkdir(join(directory, part));
    const environment = await layOut(join(directory, 'upper'), proxy);
    const npmCache = await npmSetting('cache');
    await mkdir(npmCache, { recursive: true });
    await makeGroup(group);
    return {
      sh: (script) =>
        enter(
          group,
          { DIRECTORY: directory, TREE: tree, NPM_CACHE: npmCache },
          [...environment, 'sh', '-c', script],
          log,
        ),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function tearDown(group: string): Promise<void> {
  await killGroup(group);
  await run(['ip', 'netns', 'delete', NAMESPACE]);
  await run(['ip', 'link', 'delete', INTERFACE]);
  // Also of a run that was killed.
  for (const name of await readdir('/var/tmp'))
    if (name.startsWith(DIRECTORY))
      await rm(join('/var/tmp', name), { recursive: true, force: true, maxRetries: 5 });
}

async function enter(
  group: string,
  variables: NodeJS.ProcessEnv,
  argv: readonly string[],
  log: (line: string) => void,
): Promise<{ status: number; output: string }> {
  const child = spawn('nsenter', [`--net=/run/netns/${NAMESPACE}`, '--', 'sh', '-c', ENTER, 'sh', ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: systemPath(''), CGROUP: group, ...variables },
  });
  const chunks: Buffer[] = [];
  const take = (chunk: Buffer): void => {
    chunks.push(chunk);
    log(chunk.toString().trimEnd());
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const [status] = (await once(child, 'close')) as [number | null];
  return { status: status ?? -1, output: Buffer.concat(chunks).toString() };
}

/** Serves packages from the cache of the labs, and passes connections to npm's registry on. */
async function registries(): Promise<Server> {
  // Not the lab's own: its cache gives up being root, and could not write into what root has made.
  const directory = join(CACHE_DIRECTORY, 'packages-for-machines');
  await mkdir(directory, { recursive: true });
  const server = packageCache({ directory });
  server.on('connect', (request, socket, head) => {
    const [host = '', port = '443'] = (request.url ?? '').split(':');
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
    socket.on('close', () => onward.destroy());
  });
  return server;
}

/** Puts the checkout and the machine's settings into its layer; gives the environment of a shell there. */
async function layOut(upper: string, proxy: string): Promise<readonly string[]> {
  const listed = await output(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
  });
  for (const file of new Set(listed.split('\0'))) {
    if (file === '' || !existsSync(join(ROOT, file))) continue;
    await cp(join(ROOT, file), join(upper, CHECKOUT, file), { preserveTimestamps: true });
  }
  await mkdir(join(upper, 'etc/apt/apt.conf.d'), { recursive: true });
  await writeFile(join(upper, 'etc/apt/apt.conf.d/30proxy'), `Acquire::http::Proxy "${proxy}";\n`);
  await writeFile(join(upper, 'etc/hostname'), 'fresh\n');
  await writeFile(join(upper, 'etc/hosts'), '127.0.0.1 localhost\n127.0.1.1 fresh\n');
  const environment = [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/root',
    'LANG=C.UTF-8',
    `npm_config_registry=${await npmSetting('registry')}`,
    `npm_config_https_proxy=${proxy}`,
    'npm_config_prefer_offline=true',
    'npm_config_update_notifier=false',
  ];
  // Where an authority of its own signs for the registry, this machine's npm or Node knows it.
  const authority = [await npmSetting('cafile'), process.env['NODE_EXTRA_CA_CERTS']].find((file) =>
    existsSync(file ?? ''),
  );
  if (authority !== undefined) {
    await cp(authority, join(upper, 'etc/registry-authority.pem'), { dereference: true });
    environment.push(
      'npm_config_cafile=/etc/registry-authority.pem',
      'NODE_EXTRA_CA_CERTS=/etc/registry-authority.pem',
    );
  }
  return environment;
}

async function npmSetting(name: string): Promise<string> {
  return (await output(['npm', 'config', 'get', name], { cwd: '/' })).trim();
}

const OPTIONS = [
  '--mode=root',
  '--variant=minbase',
  '--format=directory',
  '--aptopt=Acquire::Languages "none"',
  // Half of the packages are npm's, and what they describe nobody reads here.
  '--dpkgopt=path-exclude=/usr/share/doc/*',
];

/** The tree of such a machine. It is made once, and kept beside the base image of the lab. */
async function treeOf(spec: MachineSpec, proxy: string, log: (line: string) => void): Promise<string> {
  // Node 26 says by itself that it wants libatomic1, before anything of ours can run.
  const packages = ['ca-certificates', ...(spec.node === "Debian's" ? ['nodejs', 'npm'] : ['libatomic1'])];
  const binary = `node-linux-${process.arch}`;
  const modules =
    spec.node === "Debian's" ? [] : [`${binary}@${await newestOf(binary)}`, `npm@${await newestOf('npm')}`];
  const recipe = createHash('sha256').update(JSON.stringify([packages, modules, OPTIONS]));
  const prefix = `fresh-${spec.suite}-`;
  const tree = join(CACHE_DIRECTORY, `${prefix}${recipe.digest('hex').slice(0, 12)}`);
  if (existsSync(tree)) return tree;
  log(`build a minimal ${spec.suite} with Node (${spec.node}), once`);
  for (const name of await readdir(CACHE_DIRECTORY))
    if (name.startsWith(prefix)) await rm(join(CACHE_DIRECTORY, name), { recursive: true });
  const temporary = `${tree}.new`;
  await output([
    'mmdebstrap',
    ...OPTIONS,
    `--include=${packages.join(',')}`,
    `--aptopt=Acquire::http::Proxy "${proxy}"`,
    spec.suite,
    temporary,
    `deb http://deb.debian.org/debian ${spec.suite} main`,
    `deb http://deb.debian.org/debian-security ${spec.suite}-security main`,
  ]);
  await chmod(temporary, 0o755);
  await rm(join(temporary, 'etc/apt/apt.conf.d/99mmdebstrap'), { force: true });
  if (modules.length > 0) await addNode(join(temporary, 'usr/local'), binary, modules);
  await rename(temporary, tree);
  return tree;
}

async function newestOf(name: string): Promise<string> {
  return (await output(['npm', 'view', `${name}@latest`, 'version'], { cwd: '/' })).trim();
}

/** As the tarball of nodejs.org lays it out, from the registry of npm. */
async function addNode(prefix: string, binary: string, modules: readonly string[]): Promise<void> {
  const scratch = await mkdtemp('/var/tmp/understudy-node-');
  try {
    await output(['npm', 'install', '--prefix', scratch, '--ignore-scripts', ...modules], { cwd: '/' });
    const installed = join(scratch, 'node_modules');
    await cp(join(installed, binary, 'bin/node'), join(prefix, 'bin/node'));
    await cp(join(installed, 'npm'), join(prefix, 'lib/node_modules/npm'), { recursive: true });
    for (const program of ['npm', 'npx'])
      await symlink(`../lib/node_modules/npm/bin/${program}-cli.js`, join(prefix, 'bin', program));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
