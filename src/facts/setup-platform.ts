import type { SetupFacts, Sections } from './setup-facts.ts';

/** Commands for facts about what the system is managed with; each is skipped where its program is missing. */
export const PLATFORM_COMMANDS: readonly (readonly [string, string])[] = [
  ['python', 'command -v python3 >/dev/null && python3 --version 2>&1'],
  ['systemd', 'command -v systemctl >/dev/null && systemctl --version'],
  ['capabilities', 'command -v capsh >/dev/null && capsh --print | grep "^Current:"'],
  ...['vgs', 'lvs', 'pvs'].map((program): readonly [string, string] => [
    program,
    `[ "$(id -u)" -eq 0 ] && command -v ${program} >/dev/null && { echo found; ${program} --noheadings --nosuffix --units g --separator ,; }`,
  ]),
  ['local4', 'ip -4 route show table local'],
  ['local6', 'ip -6 route show table local'],
];

/** Python, systemd, capabilities, LVM, and the names of the host in networks of storage. */
export function parsePlatform(sections: Sections, codename: unknown, serviceManager: unknown): SetupFacts {
  const text = (name: string): string => (sections.get(name) ?? '').trim();
  const initiator = /^InitiatorName=(.*)$/m.exec(text('/etc/iscsi/initiatorname.iscsi'))?.[1];
  return {
    ...python(text('python'), String(codename)),
    ...(serviceManager === 'systemd' ? systemd(text('systemd')) : {}),
    ...capabilities(text('capabilities')),
    lvm: volumes(text),
    locally_reachable_ips: { ipv4: reachable(text('local4')), ipv6: reachable(text('local6')) },
    iscsi_iqn: initiator ?? '',
    hostnqn: text('/etc/nvme/hostnqn'),
    fibre_channel_wwn: [],
  };
}

/** The Python of distributions, by their code names. */
const PYTHONS: Readonly<Record<string, string>> = {
  bullseye: '3.9.2',
  bookworm: '3.11.2',
  trixie: '3.13.5',
  focal: '3.8.2',
  jammy: '3.10.4',
  noble: '3.12.3',
};

/**
 * The target's Python. Roles choose the names of packages by it and may count on it, since Ansible needs one there. Where
 * there is none, it is the one that the distribution would install.
 */
function python(said: string, codename: string): SetupFacts {
  const version = /^Python (\d+\.\d+\.\d+)/.exec(said)?.[1] ?? PYTHONS[codename] ?? '3.13.0';
  const [major = 3, minor = 0, micro = 0] = version.split('.').map(Number);
  return {
    python_version: version,
    python: {
      version: { major, minor, micro, releaselevel: 'final', serial: 0 },
      version_info: [major, minor, micro, 'final', 0],
      executable: '/usr/bin/python3',
      has_sslcontext: true,
      type: 'cpython',
    },
  };
}

function systemd(said: string): SetupFacts {
  const version = /^systemd (\d+)/.exec(said)?.[1];
  return version === undefined
    ? {}
    : { systemd: { version: Number(version), features: said.split('\n')[1]?.trim() ?? '' } };
}

/** `Current: =ep` is all of them; what follows the sign says what is different. */
function capabilities(said: string): SetupFacts {
  const current = /^Current:\s*(.*)$/.exec(said)?.[1];
  if (current === undefined) return { system_capabilities: 'N/A', system_capabilities_enforced: 'N/A' };
  if (current === '=ep') return { system_capabilities: [], system_capabilities_enforced: 'False' };
  const listed = current.slice(current.indexOf('=') + 1).split(',');
  return {
    system_capabilities: listed.map((item) => item.trim()),
    system_capabilities_enforced: 'True',
  };
}

function volumes(text: (name: string) => string): SetupFacts | 'N/A' {
  if (!text('vgs').startsWith('found')) return 'N/A';
  const rows = (name: string): string[][] =>
    text(name)
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(','));
  return {
    vgs: Object.fromEntries(
      rows('vgs').map(([name = '', disks, volumes, , , size, free]) => [
        name,
        { size_g: size, free_g: free, num_lvs: volumes, num_pvs: disks },
      ]),
    ),
    lvs: Object.fromEntries(
      rows('lvs').map(([name = '', group, , size]) => [name, { size_g: size, vg: group }]),
    ),
    pvs: Object.fromEntries(
      rows('pvs').map(([name = '', group, , , size, free]) => [
        name,
        { size_g: size, free_g: free, vg: group },
      ]),
    ),
  };
}

/** The addresses and networks of a routing table that lead to the host itself. */
function reachable(routes: string): string[] {
  return [...new Set([...routes.matchAll(/^local (\S+)/gm)].map(([, address = '']) => address))];
}
