import { stringify } from 'yaml';

import { quote } from '../lib/shell.ts';
import type { Debian } from './release.ts';
import {
  BACK_INTERFACE,
  backAddress,
  FRONT_INTERFACE,
  frontAddress,
  frontAddress6,
  type HostRole,
  type HostSpec,
  type LabNetwork,
  LOGIN_USER,
  sshAddress,
} from './layout.ts';

/** What the generated files speak of. */
export interface InventoryInput {
  readonly lab: string;
  /** The inventory's directory, absolute. */
  readonly directory: string;
  readonly debian: Debian;
  readonly hosts: readonly HostSpec[];
  /** Whether the spare host watches the site. */
  readonly monitoring: boolean;
  readonly network: LabNetwork;
  /** Host → its public keys, as in ssh_host_*_key.pub. */
  readonly hostKeys: ReadonlyMap<string, readonly string[]>;
}

export const KEY_FILE = 'id_ed25519';
export const GENERATED = [
  '.gitignore',
  'hosts.yml',
  'ssh_config',
  'known_hosts',
  KEY_FILE,
  `${KEY_FILE}.pub`,
] as const;

/** Keys and secrets of a lab are for no repository; variables that somebody writes for it may be. */
export const GITIGNORE = '/*\n!/group_vars/\n!/host_vars/\n';

const GROUPS: Readonly<Record<HostRole, string>> = {
  balancer: 'balancers',
  server: 'servers',
  spare: 'spare',
};

/** The inventory, for our own programs and for Ansible. Its paths are absolute, so that it works from anywhere. */
export function hostsYaml(input: InventoryInput): string {
  const { network, directory } = input;
  const children: Record<string, { hosts: Record<string, unknown> }> = {};
  for (const host of input.hosts) {
    const group = (children[GROUPS[host.role]] ??= { hosts: {} });
    group.hosts[host.name] = hostVariables(host, input);
  }
  // What a spare host may be: the monitoring of a site, and the authority of the lab (docs/monitoring.md, docs/https.md).
  const spare = input.hosts.filter(({ role }) => role === 'spare').map(({ name }) => [name, {}] as const);
  for (const group of ['acme_test_authority', ...(input.monitoring ? ['monitoring'] : [])])
    children[group] = { hosts: Object.fromEntries(spare) };
  const inventory = {
    all: {
      vars: {
        lab: true,
        lab_name: input.lab,
        ansible_user: LOGIN_USER,
        ansible_ssh_private_key_file: `${directory}/${KEY_FILE}`,
        vip: network.vip,
        vip2: network.vip2,
        operator_address: network.operator,
        client_address: network.client,
        front_network: network.frontNetwork,
        front_network6: network.frontNetwork6,
        back_network: network.backNetwork,
        package_cache: network.packageCache,
        ...databaseOf(input.debian),
      },
      children,
    },
  };
  const heading = `# Written by \`provision lab up\`, and again by the next one: changes here are lost.\n`;
  return heading + stringify(inventory, { lineWidth: 0 });
}

/** For `ssh -F …/ssh_config web1`, also as root's or another user's, from any directory. */
export function sshConfig(input: InventoryInput): string {
  const { directory, network } = input;
  const out = ['# Written by `provision lab up`, and again by the next one: changes here are lost.'];
  for (const host of input.hosts) {
    const address = sshAddress(network, host);
    out.push('', `Host ${host.name} ${address}`, `  HostName ${address}`);
    if (host.role !== 'balancer') {
      // ProxyJump knows no second choice; this is the same with one, for when the first balancer is down.
      const jump = (name: string) => `ssh -F "$0" -o ConnectTimeout=3 -W "$1" ${name}`;
      const [first = '', second = ''] = input.hosts
        .filter((each) => each.role === 'balancer')
        .map((each) => each.name);
      const script = quote(`${jump(first)} || exec ${jump(second)}`);
      out.push(
        `  ProxyCommand sh -c ${script} ${quote(`${directory}/ssh_config`).replaceAll('%', '%%')} %h:%p`,
      );
    }
  }
  out.push(
    '',
    'Host *',
    `  User ${LOGIN_USER}`,
    `  IdentityFile "${directory}/${KEY_FILE}"`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile "${directory}/known_hosts"`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '  HashKnownHosts no',
    '  UpdateHostKeys no',
    '  LogLevel ERROR',
  );
  return `${out.join('\n')}\n`;
}

/** The hosts' real keys, so that strict checking is on from the first connection. */
export function knownHosts(input: InventoryInput): string {
  const out: string[] = [];
  for (const host of input.hosts) {
    const names = [host.name, frontAddress(input.network, host), backAddress(input.network, host)];
    const pattern = names.filter((name) => name !== undefined).join(',');
    for (const key of input.hostKeys.get(host.name) ?? []) {
      const [type, value] = key.split(' ');
      out.push(`${pattern} ${type} ${value}`);
    }
  }
  return `${out.join('\n')}\n`;
}

/** MySQL comes from a newer Debian, whose C library is too new for 12: there it is the distribution's MariaDB. */
function databaseOf(debian: Debian): Record<string, unknown> {
  return debian === '12' ? {} : { mysql_package_source: 'lab' };
}

function hostVariables(host: HostSpec, input: InventoryInput): Record<string, unknown> {
  const { network, directory, hosts } = input;
  const front = frontAddress(network, host);
  const jumps = hosts.filter((each) => each.role === 'balancer').map((each) => each.name);
  // OpenSSH finds its way through either balancer in ssh_config, our own programs in understudy_jumps.
  const ssh = [
    `-F "${directory}/ssh_config"`,
    `-o UserKnownHostsFile="${directory}/known_hosts"`,
    '-o StrictHostKeyChecking=yes',
  ];
  return {
    ansible_host: sshAddress(network, host),
    ansible_ssh_common_args: ssh.join(' '),
    ...(front === undefined && { understudy_jumps: jumps }),
    ...(front !== undefined && {
      front_address: front,
      front_address6: frontAddress6(network, host),
      front_interface: FRONT_INTERFACE,
    }),
    back_address: backAddress(network, host),
    back_interface: BACK_INTERFACE,
    ...(host.instance !== undefined && { mysql_instance: host.instance }),
  };
}
