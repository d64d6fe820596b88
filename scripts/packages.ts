import { installPackages as install, LAB_TOOLS } from '../src/lab/packages.ts';
import { systemOutput } from '../src/lab/system.ts';
import { UserError } from '../src/lib/errors.ts';

/** A Debian package that tests need. */
interface TestPackage {
  readonly name: string;
  readonly why: string;
  readonly tests: 'unit' | 'lab';
}

/** What the unit tests need. */
const UNIT: readonly Omit<TestPackage, 'tests'>[] = [
  { name: 'openssh-server', why: 'an sshd on a loopback port, for the transport' },
  { name: 'openssh-client', why: 'ssh-keygen and ssh-keyscan, for keys and known hosts' },
  { name: 'sudo', why: 'becoming another user' },
  { name: 'busybox', why: 'a second POSIX shell for every script we run on targets' },
  { name: 'python3-jinja2', why: 'the template engine that ours must agree with' },
  {
    name: 'ansible-core',
    why: 'the playbooks must be right for it, too; answers for templates',
  },
  { name: 'shellcheck', why: 'a look at every script we run on targets' },
  { name: 'vagrant', why: 'validates the Vagrantfile' },
  { name: 'curl', why: 'clients of the site and of the programs under test' },
  { name: 'socat', why: "HAProxy's admin socket, and servers that misbehave" },
  { name: 'knot', why: 'a name server that takes updates' },
  { name: 'bind9', why: 'another one, in which a key may do little' },
  { name: 'bind9-dnsutils', why: 'dig and nsupdate, which ask it and change it' },
  { name: 'etcd-server', why: 'the store that several daemons of the failover share' },
  { name: 'chromium', why: 'a look at the live page, and at the one that a roll leaves' },
  { name: 'redis-server', why: 'the store of logins, where the distribution has no Valkey' },
  { name: 'redis-sentinel', why: 'what promotes a replica of that store' },
  { name: 'nginx', why: 'the filter for requests, with the modules that hosts have' },
  { name: 'libnginx-mod-http-modsecurity', why: 'the filter for requests' },
  { name: 'modsecurity-crs', why: 'the rules of that filter' },
  { name: 'prometheus', why: 'judges the rules of the monitoring, as it does on the hosts' },
  { name: 'prometheus-alertmanager', why: 'judges the configuration of who is told' },
  { name: 'etcd-client', why: 'changes that etcd from outside, and its accounts' },
];

/** What `npm test` needs from the system besides Node: for the lab tests, what the lab itself needs. */
export const TEST_PACKAGES: readonly TestPackage[] = [
  ...UNIT.map((each) => ({ ...each, tests: 'unit' as const })),
  ...LAB_TOOLS.map((tool) => ({ name: tool.package, why: tool.why, tests: 'lab' as const })),
];

/** Those of the packages that are not installed. */
export async function missingPackages(): Promise<readonly TestPackage[]> {
  const listed = await systemOutput(['dpkg-query', '-W', '-f', '${db:Status-Status} ${Package}\\n']);
  const installed = new Set(
    listed
      .split('\n')
      .filter((line) => line.startsWith('installed '))
      .map((line) => line.slice('installed '.length)),
  );
  return TEST_PACKAGES.filter(({ name }) => !installed.has(name));
}

/** Installs packages without their recommendations. Returns why that failed, if it did. */
export async function installPackages(names: readonly string[]): Promise<string | undefined> {
  try {
    await install([...new Set(names)]);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}
