import { readFileSync } from 'node:fs';

import { FieldReader, subshell } from '../facts/script.ts';
import { command } from '../lib/shell.ts';

/** What a host has and runs, as far as upgrades and reboots are concerned. */
export interface HostState {
  /** The version of every installed package, by its name; `name:architecture` for a foreign architecture. */
  readonly installed: ReadonlyMap<string, string>;
  readonly held: ReadonlySet<string>;
  /** It runs the kernel of another machine. */
  readonly isContainer: boolean;
  /** Why it must be booted again; empty: it need not be. */
  readonly rebootReasons: readonly string[];
  /** Services that run code which was replaced or removed since they started, and may be restarted for it. */
  readonly stale: readonly string[];
  /** The same of those that go on with it until the next boot. */
  readonly staleUntilBoot: readonly string[];
  /** The packages whose code each service runs. */
  readonly uses: ReadonlyMap<string, ReadonlySet<string>>;
  /** Configuration files that packages brought and that were not taken, with the moment when each was put there. */
  readonly asideFiles: ReadonlyMap<string, string>;
}

/** POSIX sh that reads all of it, and changes nothing. To be run as root. */
export function hostStateScript(): string {
  const services = (verb: string): string => script('services-in-use', verb);
  return subshell([
    'dpkg --print-architecture',
    `dpkg-query -W -f '\${Package}\\t\${Architecture}\\t\${Version}\\t\${db:Status-Status}\\t\${db:Status-Want}\\n' || exit; printf '\\0'`,
    `systemd-detect-virt --container; printf '\\0'`,
    `${script('reboot-needed')} || exit; printf '\\0'`,
    `${services('stale')} || exit; printf '\\0'`,
    `${services('until-boot')} || exit; printf '\\0'`,
    `${services('packages')} || exit; printf '\\0'`,
    `find /etc -xdev '(' -name '*.dpkg-dist' -o -name '*.ucf-dist' ')' -printf '%C@\\t%p\\n' 2>/dev/null; printf '\\0'`,
  ]);
}

/** Programs that playbooks run on the hosts, too. */
function script(name: 'reboot-needed' | 'services-in-use', ...argv: readonly string[]): string {
  const text = readFileSync(new URL(`../../files/maintenance/${name}`, import.meta.url), 'utf8');
  return command(['sh', '-c', text, name, ...argv]);
}

export function parseHostState(stdout: Buffer): HostState {
  const reader = new FieldReader('upgrade', stdout);
  const [native = '', ...lines] = reader.lines();
  const packages = packagesOf(lines, native);
  const container = reader.lines().join('');
  const rebootReasons = reader.lines();
  const stale = reader.lines();
  const staleUntilBoot = reader.lines();
  const uses = new Map<string, Set<string>>();
  for (const line of reader.lines()) {
    const [unit = '', name = ''] = line.split(' ');
    uses.set(unit, (uses.get(unit) ?? new Set()).add(name));
  }
  return {
    installed: new Map(packages.map(({ name, version }) => [name, version])),
    held: new Set(packages.filter(({ isHeld }) => isHeld).map(({ name }) => name)),
    isContainer: container !== '' && container !== 'none',
    rebootReasons,
    // It is told to run its new code where it stands.
    stale: stale.filter((unit) => unit !== 'init'),
    staleUntilBoot,
    uses,
    asideFiles: new Map(
      reader.lines().map((line) => {
        const [at = '', path = ''] = line.split('\t');
        return [path, at] as const;
      }),
    ),
  };
}

interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly isHeld: boolean;
}

function packagesOf(lines: readonly string[], native: string): readonly InstalledPackage[] {
  return lines.flatMap((line) => {
    const [name = '', architecture = '', version = '', status, want] = line.split('\t');
    if (status !== 'installed' && status !== 'triggers-pending' && status !== 'triggers-awaited') return [];
    const isNative = architecture === native || architecture === 'all';
    return [{ name: isNative ? name : `${name}:${architecture}`, version, isHeld: want === 'hold' }];
  });
}
