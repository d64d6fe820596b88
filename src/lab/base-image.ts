import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { explainApt, foldApt } from '../lib/apt-output.ts';
import { UserError } from '../lib/errors.ts';
import { systemOutput, system } from './system.ts';
import { killGroup, makeGroup } from './cgroup.ts';
import { CACHE_DIRECTORY, LOGIN_USER } from './layout.ts';
import { lastLines } from './packages.ts';
import { type Debian, DEBIANS, RELEASES } from './release.ts';

/*
 * The tree that all hosts start from: Debian as a fresh server has it, with sshd, sudo and a login user; no Python, and
 * none of the stack's packages. It is read-only for the hosts, which write to a layer of their own.
 */

const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'libpam-systemd',
  'openssh-server',
  'sudo',
  'iproute2',
  'iputils-ping',
  'procps',
  'netbase',
  'ca-certificates',
];

/** Jobs that make no sense here: no kernel modules, no console, and nothing may hold apt's lock behind one's back. */
const MASKED = [
  'systemd-modules-load.service',
  'console-getty.service',
  'getty@tty1.service',
  'sshd-keygen.service',
  'systemd-networkd.service',
  'systemd-pstore.service',
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'fstrim.timer',
];

/** The sources of the hosts' own apt. */
function sources(codename: string): string {
  return `Types: deb
URIs: http://deb.debian.org/debian
Suites: ${codename} ${codename}-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: ${codename}-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;
}

/** The same, for the build of the tree. */
function mirrors(codename: string): readonly string[] {
  return [
    `deb http://deb.debian.org/debian ${codename} main`,
    `deb http://deb.debian.org/debian ${codename}-updates main`,
    `deb http://deb.debian.org/debian-security ${codename}-security main`,
  ];
}

/**
 * The clock is this machine's, and a host may not set it; without this chrony would refuse to start, and a playbook
 * that starts it would never be done. It measures the time as usual, and leaves the clock alone.
 */
const CHRONY = `[Unit]
ConditionCapability=

[Service]
ExecStart=
ExecStart=!/usr/sbin/chronyd $DAEMON_OPTS -x
`;

/** Finishes the tree, from outside: "$1" is its root. */
const CUSTOMISE = `set -eu
root=$1
chroot "$root" useradd --create-home --shell /bin/bash ${LOGIN_USER}
install -d -m 0700 -o 1000 -g 1000 "$root/home/${LOGIN_USER}/.ssh"
echo '${LOGIN_USER} ALL=(ALL:ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/${LOGIN_USER}"
chmod 0440 "$root/etc/sudoers.d/${LOGIN_USER}"
for unit in ${MASKED.join(' ')}; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/machine-id" "$root/etc/resolv.conf" "$root/etc/apt/sources.list"
printf '%s' "$SOURCES" > "$root/etc/apt/sources.list.d/debian.sources"
install -d "$root/etc/systemd/system/chrony.service.d"
printf '%s' "$CHRONY" > "$root/etc/systemd/system/chrony.service.d/lab.conf"
printf 'Acquire::Languages "none";\\n' > "$root/etc/apt/apt.conf.d/20languages"
printf 'LANG=C.UTF-8\\n' > "$root/etc/default/locale"
mkdir -p "$root/var/log/journal"
rm -f "$root"/var/cache/apt/archives/*.deb "$root"/var/log/apt/* "$root/var/log/dpkg.log"
chroot "$root" apt-cache gencaches > /dev/null 2>&1
`;

/** The version of a release's image: another recipe is another image. */
export function baseVersion(debian: Debian): string {
  const { codename } = RELEASES[debian];
  const recipe = JSON.stringify([PACKAGES, MASKED, sources(codename), CHRONY, mirrors(codename), CUSTOMISE]);
  return createHash('sha256').update(recipe).digest('hex').slice(0, 12);
}

export function basePath(version: string): string {
  return join(CACHE_DIRECTORY, `base-${version}`);
}

export async function hasBase(version: string): Promise<boolean> {
  return stat(basePath(version)).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** The control groups that builds run in: this lab's, and those of all labs. */
export interface BuildGroups {
  readonly own: string;
  readonly all: readonly string[];
}

/** Builds the image unless it is there. It appears under its name only when it is complete. Call it under a lock. */
export async function ensureBase(
  debian: Debian,
  packageCache: string,
  groups: BuildGroups,
  report: (step: string) => void,
): Promise<string> {
  const { codename } = RELEASES[debian];
  const version = baseVersion(debian);
  const finished = basePath(version);
  await mkdir(CACHE_DIRECTORY, { recursive: true });
  // Under the lock, whatever still builds is an orphan of a run that was killed.
  for (const group of groups.all) await killGroup(group);
  await removeHalfBuilt();
  if (await hasBase(version)) return version;
  report(`build the base image (Debian ${debian}), once`);
  const temporary = join(CACHE_DIRECTORY, `partial-${version}-${process.pid}`);
  const hook = join(CACHE_DIRECTORY, `partial-${version}-${process.pid}.sh`);
  await writeFile(hook, `SOURCES='${sources(codename)}'\nCHRONY='${CHRONY}'\n${CUSTOMISE}`);
  await makeGroup(groups.own);
  const built = await system(
    [
      'sh',
      '-c',
      'echo 0 > "$0/cgroup.procs" && exec "$@"',
      groups.own,
      'mmdebstrap',
      '--mode=root',
      '--variant=minbase',
      '--format=directory',
      '--skip=cleanup/apt,cleanup/reproducible',
      `--include=${PACKAGES.join(',')}`,
      `--aptopt=Acquire::http::Proxy "${packageCache}"`,
      '--aptopt=Acquire::Languages "none"',
      `--customize-hook=sh ${hook} "$1"`,
      codename,
      temporary,
      ...mirrors(codename),
    ],
    { env: { ...process.env, TMPDIR: '/var/tmp', LC_ALL: 'C.UTF-8' } },
  );
  await killGroup(groups.own);
  if (built.status !== 0) {
    await removeHalfBuilt();
    const explained = explainApt(built.stderr);
    throw new UserError({
      message: `could not build the base image: ${explained?.message ?? `\n${lastLines(foldApt(built.stderr))}`}`,
      hint: explained?.hint ?? 'it is made of packages from deb.debian.org: can this machine reach it?',
    });
  }
  await rm(join(temporary, 'etc/apt/apt.conf.d/99mmdebstrap'), { force: true });
  await chmod(temporary, 0o755);
  // On disk before it has its name: a crash of this machine must not leave a hollow image.
  await systemOutput(['sync', '-f', temporary]);
  await rename(temporary, finished);
  await rm(hook, { force: true });
  return version;
}

/** Removes images that no lab uses any more and no new one would. Call it under the same lock. */
export async function removeOldBases(inUse: ReadonlySet<string>): Promise<void> {
  const current = new Set(DEBIANS.map(baseVersion));
  for (const name of await readdir(CACHE_DIRECTORY)) {
    const version = /^base-(\w+)$/.exec(name)?.[1];
    if (version !== undefined && !current.has(version) && !inUse.has(version)) {
      // Renamed first: a removal that is cut short must not leave half an image under a good name.
      await rename(join(CACHE_DIRECTORY, name), join(CACHE_DIRECTORY, `partial-${version}-old`));
    }
  }
  await removeHalfBuilt();
}

/** A build that was killed leaves a tree, perhaps with mounts of its own in it. */
async function removeHalfBuilt(): Promise<void> {
  const mounts = await systemOutput(['findmnt', '--list', '--noheadings', '--output', 'TARGET']);
  const left = mounts.split('\n').filter((target) => target.startsWith(`${CACHE_DIRECTORY}/partial-`));
  for (const target of left.reverse()) await system(['umount', '--lazy', target.trim()]);
  for (const name of await readdir(CACHE_DIRECTORY)) {
    if (name.startsWith('partial-')) await rm(join(CACHE_DIRECTORY, name), { recursive: true, force: true });
  }
}
