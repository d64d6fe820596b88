import { constants } from 'node:fs';
import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Problem, UserError } from '../lib/errors.ts';
import { system, systemPath } from './system.ts';
import { cgroupMount } from './cgroup.ts';

/** What this machine is, as far as the lab cares. */
export interface Machine {
  readonly platform: string;
  readonly root: boolean;
  /** The text of /proc/filesystems. */
  readonly fileSystems: string;
  readonly cgroups: string | undefined;
  /** Whether a group can be killed as a whole, which needs Linux 5.14. */
  readonly cgroupKill: boolean;
  readonly missing: readonly Tool[];
  readonly apt: boolean;
}

/** A file that the lab uses, and the Debian package it is in. */
export interface Tool {
  readonly file: string;
  readonly package: string;
}

export const TOOLS: readonly Tool[] = [
  { file: 'systemd-nspawn', package: 'systemd-container' },
  { file: 'mmdebstrap', package: 'mmdebstrap' },
  { file: 'ip', package: 'iproute2' },
  { file: 'nft', package: 'nftables' },
  { file: 'sysctl', package: 'procps' },
  { file: 'nsenter', package: 'util-linux' },
  { file: 'setpriv', package: 'util-linux' },
  { file: 'ssh-keygen', package: 'openssh-client' },
  { file: '/usr/share/keyrings/debian-archive-keyring.gpg', package: 'debian-archive-keyring' },
];

const ELSEWHERE = 'or use the Vagrantfile (vagrant up), which needs neither';

/** Why the lab cannot run on a machine; missing programs do not count where they can be installed. */
export function obstacles(machine: Machine): readonly Problem[] {
  if (machine.platform !== 'linux') {
    return [
      {
        message: `the lab runs its hosts on the Linux kernel; this is ${machine.platform}`,
        hint: 'use the Vagrantfile (vagrant up), or run the lab in a Linux virtual machine',
      },
    ];
  }
  if (!machine.root) {
    return [
      {
        message: 'the lab makes namespaces and mounts, which takes root',
        hint: `run it with sudo, ${ELSEWHERE}`,
      },
    ];
  }
  const problems: Problem[] = [];
  if (!/^nodev\toverlay$/m.test(machine.fileSystems)) {
    problems.push({
      message: 'this kernel has no overlay file system',
      hint: `modprobe overlay, ${ELSEWHERE}`,
    });
  }
  if (machine.cgroups === undefined) {
    problems.push({
      message: 'cgroup v2 is not mounted on this machine',
      hint: `mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified, ${ELSEWHERE}`,
    });
  } else if (!machine.cgroupKill) {
    problems.push({
      message: 'this kernel has no cgroup.kill, which came with Linux 5.14',
      hint: ELSEWHERE.slice(3),
    });
  }
  if (machine.missing.length > 0 && !machine.apt) {
    const files = machine.missing.map((tool) => tool.file).join(', ');
    const packages = machine.missing.map((tool) => tool.package).join(' ');
    problems.push({
      message: `missing on this machine: ${files}`,
      hint: `Debian and Ubuntu have them in these packages: ${packages}`,
    });
  }
  return problems;
}

/** Makes sure that the lab can run here, installing missing programs, and returns the mount point of cgroup v2. */
export async function prepareMachine(report: (step: string) => void): Promise<string> {
  let machine = await inspectMachine();
  if (machine.platform === 'linux' && machine.root && !/^nodev\toverlay$/m.test(machine.fileSystems)) {
    await system(['modprobe', 'overlay']);
    machine = await inspectMachine();
  }
  const problems = obstacles(machine);
  if (problems.length > 0) throw new UserError(problems);
  if (machine.missing.length > 0) {
    const packages = machine.missing.map((tool) => tool.package);
    report(`install ${packages.join(', ')} on this machine`);
    await install(packages);
  }
  if (machine.cgroups === undefined) throw new Error('cgroup v2 vanished');
  await raiseInotifyLimit();
  return machine.cgroups;
}

const INOTIFY_LIMIT = '/proc/sys/fs/inotify/max_user_instances';
/** Each systemd watches about a dozen things, and the kernel's 128 are shared by all that root runs. */
const INOTIFY_INSTANCES = 1024;

/** Without it the second lab's hosts end at their start, with "Too many open files". */
async function raiseInotifyLimit(): Promise<void> {
  const now = Number(await readFile(INOTIFY_LIMIT, 'utf8').catch(() => INOTIFY_INSTANCES));
  if (now >= INOTIFY_INSTANCES) return;
  // Where this may not be written, the hosts that still find room boot all the same.
  await writeFile(INOTIFY_LIMIT, String(INOTIFY_INSTANCES)).catch(() => {});
}

/** Looks at this machine; changes nothing. */
export async function inspectMachine(): Promise<Machine> {
  const cgroups = process.platform === 'linux' ? await cgroupMount() : undefined;
  const missing: Tool[] = [];
  for (const tool of TOOLS) if (!(await isInstalled(tool.file))) missing.push(tool);
  return {
    platform: process.platform,
    root: process.getuid?.() === 0,
    fileSystems: await readFile('/proc/filesystems', 'utf8').catch(() => ''),
    cgroups,
    cgroupKill: cgroups !== undefined && (await hasKill(cgroups)),
    missing,
    apt: await isInstalled('apt-get'),
  };
}

async function install(packages: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const argv = ['apt-get', 'install', '-y', '--no-install-recommends', ...packages];
  const first = await system(argv, { env });
  if (first.status === 0) return;
  await system(['apt-get', 'update'], { env });
  const second = await system(argv, { env });
  if (second.status === 0) return;
  throw new UserError({
    message: `could not install ${packages.join(', ')}:\n${second.stderr.trim()}`,
    hint: `install them yourself: sudo ${argv.join(' ')}`,
  });
}

/** The root group has no such file, so the question is put to any group below it, made for the purpose if need be. */
async function hasKill(cgroups: string): Promise<boolean> {
  const probe = join(cgroups, `understudy-probe-${process.pid}`);
  try {
    await mkdir(probe);
  } catch {
    return true; // Not ours to say without root; `obstacles` stops at that first.
  }
  const found = await exists(join(probe, 'cgroup.kill'));
  await rmdir(probe);
  return found;
}

async function isInstalled(file: string): Promise<boolean> {
  if (file.startsWith('/')) return exists(file);
  for (const directory of systemPath().split(delimiter)) {
    if (directory !== '' && (await exists(join(directory, file)))) return true;
  }
  return false;
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
