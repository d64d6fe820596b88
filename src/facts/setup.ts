import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { subshell } from './script.ts';
import type { SetupFacts } from './setup-facts.ts';
import { parseSystem } from './setup-system.ts';
import { parseHardware } from './setup-hardware.ts';
import { parseNetwork } from './setup-network.ts';
import { parsePlatform, PLATFORM_COMMANDS } from './setup-platform.ts';
import { parseLocalFacts } from './setup-local.ts';

/** Files that are read as they are; those that are not there are left out. */
const FILES = [
  '/etc/os-release',
  '/etc/debian_version',
  '/etc/lsb-release',
  '/etc/machine-id',
  '/etc/resolv.conf',
  '/etc/iscsi/initiatorname.iscsi',
  '/etc/nvme/hostnqn',
  '/proc/cmdline',
  '/proc/cpuinfo',
  '/proc/loadavg',
  '/proc/meminfo',
  '/proc/mounts',
  '/proc/uptime',
  '/proc/1/comm',
  '/proc/sys/kernel/hostname',
  '/proc/sys/kernel/osrelease',
  '/proc/sys/kernel/ostype',
  '/proc/sys/kernel/version',
  '/proc/sys/crypto/fips_enabled',
  '/run/systemd/container',
  '/sys/class/dmi/id/bios_date',
  '/sys/class/dmi/id/bios_vendor',
  '/sys/class/dmi/id/bios_version',
  '/sys/class/dmi/id/board_asset_tag',
  '/sys/class/dmi/id/board_name',
  '/sys/class/dmi/id/board_serial',
  '/sys/class/dmi/id/board_vendor',
  '/sys/class/dmi/id/board_version',
  '/sys/class/dmi/id/chassis_asset_tag',
  '/sys/class/dmi/id/chassis_serial',
  '/sys/class/dmi/id/chassis_type',
  '/sys/class/dmi/id/chassis_vendor',
  '/sys/class/dmi/id/chassis_version',
  '/sys/class/dmi/id/product_name',
  '/sys/class/dmi/id/product_serial',
  '/sys/class/dmi/id/product_uuid',
  '/sys/class/dmi/id/product_version',
  '/sys/class/dmi/id/sys_vendor',
  '/sys/fs/selinux/enforce',
  '/etc/ssh/ssh_host_ecdsa_key.pub',
  '/etc/ssh/ssh_host_ed25519_key.pub',
  '/etc/ssh/ssh_host_rsa_key.pub',
];

/** Name and command, each at most one or two processes. */
const COMMANDS: readonly (readonly [string, string])[] = [
  ['machine', 'uname -m'],
  ['fqdn', 'hostname -f'],
  ['nproc', 'nproc'],
  ['virtualization', 'systemd-detect-virt'],
  ['addresses', 'ip -o addr show'],
  ['links', 'ip -o link show'],
  ['route4', 'ip -4 route show default'],
  ['route6', 'ip -6 route show default'],
  ['user', 'id -u; id -g; id -r -u; id -r -g'],
  ['passwd', 'getent passwd "$(id -u)"'],
  ['local', "date '+%Y %m %d %H %M %S %s %A %w %W %Z %z %N'"],
  ['utc', "date -u '+%Y %m %d %H %M %S'"],
  ['winter', 'TZ=${TZ-} date -d "$(date +%Y)-01-01" +%Z'],
  ['summer', 'TZ=${TZ-} date -d "$(date +%Y)-07-01" +%Z'],
  ...PLATFORM_COMMANDS,
  ['lsb', 'command -v lsb_release >/dev/null && lsb_release -a'],
];

/** What `setup` tells of a host; the key is the directory of its own facts. */
export const setup: FactKind<string, SetupFacts> = {
  name: 'setup',
  // Addresses move from host to host (VRRP), and file systems are shared.
  scope: 'network',
  id: (factPath) => factPath,
  script: (factPaths) =>
    subshell([
      `section() { printf '%s\\0' "$1"; }`,
      `end() { printf '\\0'; }`,
      `for f in ${FILES.join(' ')}; do if [ -r "$f" ]; then section "$f"; cat "$f" 2>/dev/null; end; fi; done`,
      ...COMMANDS.map(
        // A time zone that the environment names is the user's; the target's own is in /etc/localtime.
        ([name, text]) => `section ${name}; { ${text.replaceAll('TZ=${TZ-} ', '')}; } 2>/dev/null; end`,
      ),
      'for d in /sys/class/net/*; do if [ -e "$d/address" ]; then section "net ${d##*/}"',
      'for n in address mtu operstate type speed flags; do v=; read -r v 2>/dev/null < "$d/$n"; printf \'%s\\n\' "$v"; done',
      'if [ -e "$d/bridge" ]; then echo bridge; elif [ -e "$d/bonding" ]; then echo bonding; else echo; fi',
      'for b in "$d"/brif/*; do if [ -e "$b" ]; then printf \'%s \' "${b##*/}"; fi; done; end; fi; done',
      'set --; while read -r dev mount type rest; do case $dev in /*|*:/*) set -- "$@" "$(printf \'%b\' "$mount")" ;; esac; done < /proc/mounts',
      `section statfs; for m do stat -f -c '%S %b %a %c %d' -- "$m" 2>/dev/null || echo; done; end`,
      'section present; for f in /usr/bin/apt-get /usr/bin/dnf /usr/bin/yum /usr/bin/zypper /sbin/apk /usr/bin/pacman /run/systemd/system /sys/kernel/security/apparmor /dev/kvm /.dockerenv /usr/bin/lsb_release; do',
      'if [ -e "$f" ]; then printf \'%s\\n\' "$f"; fi; done; end',
      ...factPaths.flatMap((path) => [
        `for f in ${quote(path)}/*.fact; do if [ -f "$f" ] && [ -r "$f" ]; then section "fact ${path.replaceAll(/["$`\\]/g, '\\$&')} \${f##*/}"`,
        'if [ -x "$f" ]; then "$f" 2>/dev/null; else cat "$f"; fi; end; fi; done',
      ]),
      'section env; env -0 | base64; end',
    ]),
  parse(stdout, factPaths) {
    const parts = stdout.toString('utf8').split('\0');
    const sections = new Map<string, string>();
    for (let index = 0; index + 1 < parts.length; index += 2) {
      sections.set(parts[index] ?? '', parts[index + 1] ?? '');
    }
    const system = parseSystem(sections);
    const common = {
      ...system,
      ...parsePlatform(sections, system['distribution_release'], system['service_mgr']),
      ...parseHardware(sections),
      ...parseNetwork(sections),
    };
    return factPaths.map((path) => ({ ...common, local: parseLocalFacts(sections, path) }));
  },
};
