import { execFileSync } from 'node:child_process';

import { runCommand } from './common.ts';

/** A Debian package that tests need. */
interface TestPackage {
  readonly name: string;
  readonly why: string;
  readonly tests: 'unit' | 'lab';
}

/** What `npm test` needs from the system besides Node. */
export const TEST_PACKAGES: readonly TestPackage[] = [
  { name: 'openssh-server', why: 'an sshd on a loopback port, for the transport', tests: 'unit' },
  { name: 'openssh-client', why: 'ssh-keygen and ssh-keyscan, for keys and known hosts', tests: 'unit' },
  { name: 'sudo', why: 'becoming another user', tests: 'unit' },
  { name: 'busybox', why: 'a second POSIX shell for every script we run on targets', tests: 'unit' },
  { name: 'python3-jinja2', why: 'the template engine that ours must agree with', tests: 'unit' },
  { name: 'shellcheck', why: 'a look at every script we run on targets', tests: 'unit' },
  { name: 'vagrant', why: 'validates the Vagrantfile', tests: 'unit' },
  { name: 'curl', why: 'clients of the site and of the programs under test', tests: 'unit' },
  { name: 'socat', why: "HAProxy's admin socket, and servers that misbehave", tests: 'unit' },
  { name: 'etcd-server', why: 'the store that several daemons of the failover share', tests: 'unit' },
  { name: 'etcd-client', why: 'changes that etcd from outside, and its accounts', tests: 'unit' },
  { name: 'systemd-container', why: 'boots the hosts of the lab', tests: 'lab' },
  { name: 'mmdebstrap', why: "makes the lab's base image", tests: 'lab' },
  { name: 'debian-archive-keyring', why: 'the keys that the base image is checked with', tests: 'lab' },
  { name: 'iproute2', why: 'the networks of the lab', tests: 'lab' },
  { name: 'iptables', why: 'firewall rules seen from a host of the lab', tests: 'lab' },
  { name: 'nftables', why: 'lets the hosts of the lab reach packages, and cuts networks', tests: 'lab' },
];

/** Those of the packages that are not installed. */
export function missingPackages(): readonly TestPackage[] {
  const installed = new Set(
    execFileSync('dpkg-query', ['-W', '-f', '${db:Status-Status} ${Package}\\n'], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    })
      .split('\n')
      .filter((line) => line.startsWith('installed '))
      .map((line) => line.slice('installed '.length)),
  );
  return TEST_PACKAGES.filter(({ name }) => !installed.has(name));
}

/** Installs packages without their recommendations. Returns whether apt succeeded. */
export async function installPackages(names: readonly string[]): Promise<boolean> {
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  // A stale list names versions that the mirror no longer has; an update that fails may still leave a usable one.
  await runCommand(['apt-get', 'update', '-q'], environment);
  const options = ['install', '-y', '-q', '--no-install-recommends'];
  return (await runCommand(['apt-get', ...options, ...names], environment)) === 0;
}
