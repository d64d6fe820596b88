import { constants } from 'node:fs';
import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Problem, UserError } from '../lib/errors.ts';
import { system } from './system.ts';
import { cgroupMount } from './cgroup.ts';
import { installPackages, isInstalled, missingTools, packagesOf, type Tool } from './packages.ts';

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
  const problems: Problem[] = [];
  if (!machine.root) {
    const packages = machine.apt ? packagesOf(machine.missing) : [];
    problems.push({
      message: 'the lab makes namespaces and mounts, which takes root',
      hint: `run it with sudo${packages.length === 0 ? '' : ` (it will install ${packages.join(', ')})`}, ${ELSEWHERE}`,
    });
  }
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
    problems.push({
      message: `missing on this machine: ${files}`,
      hint: `this is no Debian, so install them yourself; Debian has them in these packages: ${packagesOf(machine.missing).join(' ')}`,
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
    const packages = packagesOf(machine.missing);
    report(`install ${packages.join(', ')} on this machine`);
    await installPackages(packages);
    const still = await missingTools(machine.missing);
    if (still.length > 0) {
      throw new UserError({
        message: `still missing after their packages were installed: ${still.map((tool) => tool.file).join(', ')}`,
        hint: `see what apt did: dpkg -L ${packagesOf(still).join(' ')}`,
      });
    }
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
  return {
    platform: process.platform,
    root: process.getuid?.() === 0,
    fileSystems: await readFile('/proc/filesystems', 'utf8').catch(() => ''),
    cgroups,
    cgroupKill: cgroups !== undefined && (await hasKill(cgroups)),
    missing: await missingTools(),
    apt: await isInstalled('apt-get'),
  };
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

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
