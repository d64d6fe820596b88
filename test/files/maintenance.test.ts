import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';

import { needsProgram, testWith } from '../needs.ts';

// The programs of files/maintenance, in a tree that looks like a machine's. The lab runs them on real ones.

const DIRECTORY = fileURLToPath(new URL('../../files/maintenance/', import.meta.url));

/** A machine: its files by their paths, and what its programs print. Those that are not named fail. */
interface Machine {
  readonly files?: Readonly<Record<string, string>>;
  readonly programs?: Readonly<Record<string, string>>;
}

function runOn(
  t: ExecutionContext,
  { files = {}, programs = {} }: Machine,
  argv: readonly string[],
): string[] {
  const root = mkdtempSync(join(tmpdir(), 'understudy-maintenance-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [path, text] of Object.entries(files)) put(path, text);
  const all = { uname: 'exit 1', 'systemd-detect-virt': 'exit 1', 'dpkg-query': 'exit 1', ...programs };
  for (const [name, text] of Object.entries(all)) {
    put(`bin/${name}`, `#!/bin/sh\n${text}\n`);
    chmodSync(join(root, 'bin', name), 0o755);
  }
  const [program = '', ...rest] = argv;
  const result = spawnSync('/bin/sh', [join(DIRECTORY, program), ...rest], {
    env: { PATH: `${root}/bin:/usr/bin:/bin`, UNDERSTUDY_ROOT: root },
    encoding: 'utf8',
  });
  t.is(result.status, 0, result.stderr);
  t.is(result.stderr, '');
  return result.stdout.split('\n').filter((line) => line !== '');
}

const TRIXIE = { uname: 'echo 6.12.48+deb13-amd64' };

const REBOOTS: readonly (Machine & { readonly title: string; readonly reasons: readonly string[] })[] = [
  { title: 'a machine without a kernel of its own', programs: TRIXIE, reasons: [] },
  {
    title: 'the newest kernel runs',
    programs: TRIXIE,
    files: { 'boot/vmlinuz-6.12.48+deb13-amd64': '', 'boot/vmlinuz-6.12.41+deb13-amd64': '' },
    reasons: [],
  },
  {
    title: 'a newer kernel waits, told by numbers',
    programs: { uname: 'echo 6.1.0-9-amd64' },
    files: { 'boot/vmlinuz-6.1.0-9-amd64': '', 'boot/vmlinuz-6.1.0-40-amd64': '' },
    reasons: ['the kernel 6.1.0-40-amd64 is installed, and 6.1.0-9-amd64 runs'],
  },
  {
    title: 'a newer kernel of another flavour',
    programs: { uname: 'echo 6.1.0-9-cloud-amd64' },
    files: { 'boot/vmlinuz-6.1.0-9-cloud-amd64': '', 'boot/vmlinuz-6.1.0-40-amd64': '' },
    reasons: [],
  },
  {
    title: 'the same name, built again',
    programs: { uname: 'echo 6.1.0-40-amd64', 'dpkg-query': 'printf 6.1.153-1' },
    files: {
      'boot/vmlinuz-6.1.0-40-amd64': '',
      'proc/version':
        'Linux version 6.1.0-40-amd64 (debian-kernel@lists.debian.org) (gcc-12) #1 SMP PREEMPT_DYNAMIC Debian 6.1.148-1 (2025-08-26)\n',
    },
    reasons: ['the kernel 6.1.0-40-amd64 is installed as 6.1.153-1, and runs as 6.1.148-1'],
  },
  {
    title: 'the same name and build',
    programs: { uname: 'echo 6.1.0-40-amd64', 'dpkg-query': 'printf 6.1.153-1' },
    files: {
      'boot/vmlinuz-6.1.0-40-amd64': '',
      'proc/version': 'Linux version 6.1.0-40-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1 (2025-09-20)\n',
    },
    reasons: [],
  },
  {
    title: 'a container with kernels in it',
    programs: { uname: 'echo 6.1.0-9-amd64', 'systemd-detect-virt': 'exit 0' },
    files: { 'boot/vmlinuz-6.1.0-40-amd64': '' },
    reasons: [],
  },
  {
    title: 'packages ask for it, in a container, too',
    programs: { uname: 'echo 6.1.0-9-amd64', 'systemd-detect-virt': 'exit 0' },
    files: { 'run/reboot-required': '', 'run/reboot-required.pkgs': 'libc6\ndbus\nlibc6\n' },
    reasons: ['asked for by dbus libc6 (/run/reboot-required)'],
  },
  {
    title: 'somebody asks for it and says no more',
    programs: TRIXIE,
    files: { 'run/reboot-required': '' },
    reasons: ['asked for by a package (/run/reboot-required)'],
  },
];

for (const { title, reasons, ...machine } of REBOOTS) {
  test(`a reboot: ${title}`, (t) => {
    t.deepEqual(runOn(t, machine, ['reboot-needed']), reasons);
  });
}

const CODE = '7f0000000000-7f0000001000 r-xp 00000000 08:01 1234   ';
const DATA = '7f0000000000-7f0000001000 r--p 00000000 08:01 1234   ';

const PROCESSES: Machine = {
  files: {
    'proc/1/cgroup': '0::/init.scope\n',
    'proc/1/maps': `${CODE}/usr/lib/systemd/systemd (deleted)\n`,
    'proc/20/cgroup': '0::/system.slice/nginx.service\n',
    'proc/20/maps': `${CODE}/usr/sbin/nginx\n${CODE}/usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)\n`,
    // Data that is gone, memory without a file and files of programs themselves say nothing.
    'proc/30/cgroup': '0::/system.slice/haproxy.service\n',
    'proc/30/maps': [
      `${CODE}/usr/sbin/haproxy`,
      `${DATA}/usr/lib/x86_64-linux-gnu/libz.so.1 (deleted)`,
      `${CODE}/memfd:code (deleted)`,
      `${CODE}/var/tmp/plugin.so (deleted)`,
      '',
    ].join('\n'),
    // Of several hierarchies systemd has one of its own.
    'proc/40/cgroup': '4:memory:/system.slice\n1:name=systemd:/system.slice/mariadb.service\n0::/\n',
    'proc/40/maps': `${CODE}/usr/sbin/mariadbd (deleted)\n`,
    'proc/50/cgroup': '0::/system.slice/dbus.service\n',
    'proc/50/maps': `${CODE}/usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)\n`,
    // A session, what runs in a container of its own, and a service of a user's.
    'proc/60/cgroup': '0::/user.slice/user-0.slice/session-3.scope\n',
    'proc/60/maps': `${CODE}/usr/bin/bash (deleted)\n`,
    'proc/70/cgroup': '0::/machine.slice/systemd-nspawn@guest.service/payload/system.slice/nginx.service\n',
    'proc/70/maps': `${CODE}/usr/sbin/nginx (deleted)\n`,
    'proc/80/cgroup': '0::/user.slice/user-0.slice/user@0.service/app.slice/agent.service\n',
    'proc/80/maps': `${CODE}/usr/bin/agent (deleted)\n`,
    'proc/90/cgroup': '0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n',
    'proc/90/maps': `${CODE}/usr/lib/x86_64-linux-gnu/libc.so.6\n${CODE}/opt/pg/bin/postgres (deleted)\n`,
  },
};

test('services that run code which is gone are told, and those that must not be restarted apart', (t) => {
  t.deepEqual(runOn(t, PROCESSES, ['services-in-use', 'stale']), [
    'init',
    'mariadb.service',
    'nginx.service',
    'postgresql@15-main.service',
  ]);
  t.deepEqual(runOn(t, PROCESSES, ['services-in-use', 'until-boot']), ['dbus.service', 'user@0.service']);
});

const DPKG = `
shift 2
for file; do
  case $file in
    /usr/sbin/nginx) echo "nginx: $file" ;;
    /usr/sbin/haproxy) echo "haproxy: $file" ;;
    /lib/x86_64-linux-gnu/libc.so.6) echo "libc6:amd64, libc6:i386: $file" ;;
    *) echo "dpkg-query: no path found matching pattern $file" >&2; missing=1 ;;
  esac
done
exit "\${missing:-0}"`;

test('services are told with the packages of their code, wherever /lib leads to', (t) => {
  t.deepEqual(runOn(t, { ...PROCESSES, programs: { dpkg: DPKG } }, ['services-in-use', 'packages']), [
    'haproxy.service haproxy',
    'nginx.service nginx',
    'postgresql@15-main.service libc6',
  ]);
});

test('a machine without services says nothing', (t) => {
  for (const verb of ['stale', 'until-boot', 'packages']) {
    t.deepEqual(runOn(t, {}, ['services-in-use', verb]), []);
  }
});

for (const program of ['reboot-needed', 'services-in-use']) {
  testWith(needsProgram('shellcheck', 'shellcheck'), test)(
    `shellcheck has nothing to say about ${program}`,
    (t) => {
      const result = spawnSync('shellcheck', ['--shell=sh', join(DIRECTORY, program)], { encoding: 'utf8' });
      t.is(result.status, 0, result.stdout);
    },
  );
}
