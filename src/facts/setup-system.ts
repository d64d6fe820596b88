import type { SetupFacts, Sections } from './setup-facts.ts';

/** Distributions by what their os-release calls them. */
const NAMES: Readonly<Record<string, string>> = {
  debian: 'Debian',
  ubuntu: 'Ubuntu',
  raspbian: 'Raspbian',
  linuxmint: 'Linux Mint',
  kali: 'Kali',
  devuan: 'Devuan',
  rocky: 'Rocky',
  almalinux: 'AlmaLinux',
  centos: 'CentOS',
  rhel: 'RedHat',
  fedora: 'Fedora',
  ol: 'OracleLinux',
  amzn: 'Amazon',
  alpine: 'Alpine',
  arch: 'Archlinux',
  opensuse: 'openSUSE',
  'opensuse-leap': 'openSUSE Leap',
  'opensuse-tumbleweed': 'openSUSE Tumbleweed',
  sles: 'SLES',
};

/** Distribution, kernel, time, user, environment, virtualization. */
export function parseSystem(sections: Sections): SetupFacts {
  const text = (name: string): string => (sections.get(name) ?? '').trim();
  const nodename = text('/proc/sys/kernel/hostname');
  const fqdn = text('fqdn') || nodename;
  const machine = text('machine');
  return {
    ...distribution(sections),
    system: text('/proc/sys/kernel/ostype') || 'Linux',
    kernel: text('/proc/sys/kernel/osrelease'),
    kernel_version: text('/proc/sys/kernel/version'),
    machine,
    architecture: /^i\d86$/.test(machine) ? 'i386' : machine,
    userspace_architecture: machine,
    userspace_bits: /64|s390x|alpha/.test(machine) ? '64' : '32',
    nodename,
    hostname: nodename.split('.')[0] ?? '',
    fqdn,
    domain: fqdn.split('.').slice(1).join('.'),
    machine_id: text('/etc/machine-id'),
    cmdline: commandLine(text('/proc/cmdline'), false),
    proc_cmdline: commandLine(text('/proc/cmdline'), true),
    date_time: dateTime(sections),
    uptime_seconds: Math.floor(Number(text('/proc/uptime').split(' ')[0] ?? 0)),
    loadavg: loadAverage(text('/proc/loadavg')),
    fips: text('/proc/sys/crypto/fips_enabled') === '1',
    selinux: selinux(text('/sys/fs/selinux/enforce')),
    selinux_python_present: false,
    apparmor: { status: isPresent(sections, '/sys/kernel/security/apparmor') ? 'enabled' : 'disabled' },
    is_chroot: false,
    service_mgr: serviceManager(sections),
    pkg_mgr: packageManager(sections),
    lsb: lsb(sections),
    ...virtualization(sections),
    ...user(sections),
    ...hostKeys(sections),
    env: environment(sections),
  };
}

/** The file says whether the policy is enforced; where it is missing there is no SELinux. */
function selinux(enforce: string): SetupFacts {
  return enforce === ''
    ? { status: 'disabled' }
    : { status: 'enabled', mode: enforce === '1' ? 'enforcing' : 'permissive' };
}

function isPresent(sections: Sections, path: string): boolean {
  return (sections.get('present') ?? '').split('\n').includes(path);
}

/** `NAME=value` lines, with shell quoting, as os-release and lsb-release have them. */
function assignments(text: string): Readonly<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (!match) continue;
    const [, name = '', value = ''] = match;
    result[name] = value.replace(/^(["'])(.*)\1$/, '$2').replaceAll(/\\(["$`\\])/g, '$1');
  }
  return result;
}

function distribution(sections: Sections): SetupFacts {
  const release = assignments(sections.get('/etc/os-release') ?? '');
  const id = release['ID'] ?? 'linux';
  const name = NAMES[id] ?? release['NAME'] ?? 'Linux';
  const like = `${id} ${release['ID_LIKE'] ?? ''}`;
  const family = /debian|ubuntu/.test(like)
    ? 'Debian'
    : /rhel|fedora|centos/.test(like)
      ? 'RedHat'
      : /suse/.test(like)
        ? 'Suse'
        : name;
  const pointRelease = (sections.get('/etc/debian_version') ?? '').trim();
  let version = release['VERSION_ID'] ?? 'NA';
  // Only debian_version has the point release.
  if (id === 'debian' && /^\d+(\.\d+)+$/.test(pointRelease)) version = pointRelease;
  const codename = release['VERSION_CODENAME'] ?? /\(([^)]+)\)/.exec(release['VERSION'] ?? '')?.[1] ?? 'NA';
  const minor = version.split('.')[1];
  return {
    distribution: name,
    distribution_version: version,
    distribution_major_version: version.split('.')[0] ?? version,
    ...(minor === undefined ? {} : { distribution_minor_version: minor }),
    distribution_release: codename,
    distribution_file_parsed: true,
    distribution_file_path: '/etc/os-release',
    distribution_file_variety: family === 'Debian' ? 'Debian' : family,
    os_family: family,
  };
}

function lsb(sections: Sections): SetupFacts {
  const said = (name: string): string | undefined =>
    new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(sections.get('lsb') ?? '')?.[1];
  const file = assignments(sections.get('/etc/lsb-release') ?? '');
  const release = said('Release') ?? file['DISTRIB_RELEASE'];
  const facts = {
    id: said('Distributor ID') ?? file['DISTRIB_ID'],
    release,
    codename: said('Codename') ?? file['DISTRIB_CODENAME'],
    description: said('Description') ?? file['DISTRIB_DESCRIPTION'],
    major_release: release?.split('.')[0],
  };
  return Object.fromEntries(Object.entries(facts).filter((entry) => entry[1] !== undefined));
}

function commandLine(text: string, repeated: boolean): SetupFacts {
  const result: Record<string, unknown> = {};
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const at = word.indexOf('=');
    const name = at < 0 ? word : word.slice(0, at);
    const value = at < 0 ? true : word.slice(at + 1);
    const before = result[name];
    result[name] = repeated && before !== undefined ? [before, value].flat() : value;
  }
  return result;
}

function dateTime(sections: Sections): SetupFacts {
  const [
    year,
    month,
    day,
    hour,
    minute,
    second,
    epoch,
    weekday,
    weekdayNumber,
    week,
    zone,
    offset,
    nanos = '',
  ] = (sections.get('local') ?? '').trim().split(' ');
  const [uy, um, ud, uh, umin, us] = (sections.get('utc') ?? '').trim().split(' ');
  const micros = nanos.slice(0, 6).padEnd(6, '0');
  const winter = (sections.get('winter') ?? '').trim();
  const summer = (sections.get('summer') ?? '').trim();
  return {
    year,
    month,
    weekday,
    weekday_number: weekdayNumber,
    weeknumber: week,
    day,
    hour,
    minute,
    second,
    epoch,
    epoch_int: epoch,
    date: `${year}-${month}-${day}`,
    time: `${hour}:${minute}:${second}`,
    iso8601_micro: `${uy}-${um}-${ud}T${uh}:${umin}:${us}.${micros}Z`,
    iso8601: `${uy}-${um}-${ud}T${uh}:${umin}:${us}Z`,
    iso8601_basic: `${year}${month}${day}T${hour}${minute}${second}${micros}`,
    iso8601_basic_short: `${year}${month}${day}T${hour}${minute}${second}`,
    tz: zone,
    tz_dst:
      winter === zone && summer !== '' ? summer : winter === '' ? zone : winter === summer ? zone : summer,
    tz_offset: offset,
  };
}

function loadAverage(text: string): SetupFacts {
  const [one, five, fifteen] = text.split(' ').map(Number);
  return { '1m': one, '5m': five, '15m': fifteen };
}

function serviceManager(sections: Sections): string {
  if (isPresent(sections, '/run/systemd/system')) return 'systemd';
  const name = (sections.get('/proc/1/comm') ?? '').trim();
  return name === 'init' ? 'sysvinit' : name || 'service';
}

function packageManager(sections: Sections): string {
  const managers: readonly (readonly [string, string])[] = [
    ['/usr/bin/apt-get', 'apt'],
    ['/usr/bin/dnf', 'dnf'],
    ['/usr/bin/yum', 'yum'],
    ['/usr/bin/zypper', 'zypper'],
    ['/sbin/apk', 'apk'],
    ['/usr/bin/pacman', 'pacman'],
  ];
  return managers.find(([path]) => isPresent(sections, path))?.[1] ?? 'unknown';
}

/** systemd's names for what Ansible calls otherwise. */
const VIRTUAL: Readonly<Record<string, string>> = {
  qemu: 'kvm',
  amazon: 'kvm',
  google: 'kvm',
  oracle: 'virtualbox',
  vmware: 'VMware',
  microsoft: 'VirtualPC',
};

function virtualization(sections: Sections): SetupFacts {
  const container = (sections.get('/run/systemd/container') ?? '').trim();
  const detected = (sections.get('virtualization') ?? '').trim();
  const type = isPresent(sections, '/.dockerenv') ? 'docker' : container || (VIRTUAL[detected] ?? detected);
  if (type === '' || type === 'none') {
    const isHost = isPresent(sections, '/dev/kvm');
    return {
      virtualization_type: isHost ? 'kvm' : 'NA',
      virtualization_role: isHost ? 'host' : 'NA',
      virtualization_tech_guest: [],
      virtualization_tech_host: isHost ? ['kvm'] : [],
    };
  }
  return {
    virtualization_type: type,
    virtualization_role: 'guest',
    virtualization_tech_guest:
      container === '' && type !== 'docker' ? [type] : [...new Set([type, 'container'])],
    virtualization_tech_host: isPresent(sections, '/dev/kvm') ? ['kvm'] : [],
  };
}

function user(sections: Sections): SetupFacts {
  const [uid, gid, realUid, realGid] = (sections.get('user') ?? '').trim().split('\n').map(Number);
  const [name, , , , gecos, home, shell] = (sections.get('passwd') ?? '').trim().split(':');
  return {
    user_id: name || String(uid),
    user_uid: uid,
    user_gid: gid,
    user_gecos: gecos ?? '',
    user_dir: home ?? '',
    user_shell: shell ?? '',
    real_user_id: realUid,
    real_group_id: realGid,
    effective_user_id: uid,
    effective_group_id: gid,
  };
}

function hostKeys(sections: Sections): SetupFacts {
  const result: Record<string, string> = {};
  for (const algorithm of ['rsa', 'ecdsa', 'ed25519']) {
    const [type, key] = (sections.get(`/etc/ssh/ssh_host_${algorithm}_key.pub`) ?? '').trim().split(' ');
    if (!type || !key) continue;
    result[`ssh_host_key_${algorithm}_public`] = key;
    result[`ssh_host_key_${algorithm}_public_keytype`] = type;
  }
  return result;
}

function environment(sections: Sections): SetupFacts {
  const text = Buffer.from(sections.get('env') ?? '', 'base64').toString('utf8');
  const result: Record<string, string> = {};
  for (const entry of text.split('\0')) {
    const at = entry.indexOf('=');
    const name = entry.slice(0, at);
    // Fact scripts set LC_ALL themselves.
    if (at > 0 && name !== 'LC_ALL') result[name] = entry.slice(at + 1);
  }
  return result;
}
