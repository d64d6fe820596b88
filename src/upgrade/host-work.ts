import { parseSimulation, type SimulationFact } from '../facts/apt-simulation.ts';
import { compareDebianVersions } from '../lib/debian-version.ts';
import type { HostState } from './host-state.ts';
import type { PackageChange } from './package-change.ts';

/** What an operator asked for. */
export interface UpgradeWish {
  /** Only these; undefined: all. */
  readonly packages: readonly string[] | undefined;
  readonly securityOnly: boolean;
  readonly rebootIfNeeded: boolean;
}

/** A package that stays as it is although there is a newer one. */
export interface KeptPackage {
  readonly name: string;
  readonly why: 'held' | 'needs others';
}

/** What is to be done on one host. */
export interface HostWork {
  readonly host: string;
  readonly packages: readonly PackageChange[];
  readonly kept: readonly KeptPackage[];
  /** Services that the upgrade will restart. */
  readonly services: readonly string[];
  /** Why it has to be booted, before or after the upgrade. */
  readonly rebootReasons: readonly string[];
}

/** A version of a package, and the suite of the source that has it: `trixie-security/main`. */
export interface AvailableVersion {
  readonly name: string;
  readonly version: string;
  readonly suite: string;
}

/** What apt-get would do, and for which packages it would not do what there is to do. */
export interface SimulatedUpgrade extends SimulationFact {
  readonly kept: readonly string[];
}

/** Reads what `apt-get -s` prints of an upgrade, in the locale C. */
export function parseUpgrade(text: string): SimulatedUpgrade {
  const kept = /^The following packages have been kept back:\n((?: .*\n)*)/m.exec(text)?.[1] ?? '';
  return { ...parseSimulation(text.split('\n')), kept: kept.split(/\s+/).filter((name) => name !== '') };
}

/** What apt-get is asked about all packages. */
export const ALL_PACKAGES = ['upgrade', '--with-new-pkgs'] as const;

/** What apt-get is asked about some packages. What it would remove for them, it says. */
export function onlyPackages(names: readonly string[]): readonly string[] {
  return ['-o', 'APT::Install-Recommends=no', 'install', '--only-upgrade', '--', ...names];
}

/** The packages that the wish is about; undefined: all. `all` is what apt-get would do with all of them. */
export function meantPackages(
  wish: UpgradeWish,
  state: HostState,
  all: SimulatedUpgrade,
  available: readonly AvailableVersion[],
): readonly string[] | undefined {
  if (wish.packages === undefined && !wish.securityOnly) return undefined;
  return upgradable(all)
    .filter((name) => wish.packages?.includes(name) ?? true)
    .filter((name) => !state.held.has(name))
    .filter((name) => !wish.securityOnly || isForSecurity(name, state, available));
}

/** The installed packages of which there is a newer version, whatever becomes of it. */
export function upgradable({ installs, kept }: SimulatedUpgrade): readonly string[] {
  return [...installs.filter(({ from }) => from !== undefined).map(({ name }) => name), ...kept];
}

/** A newer version is in a suite for security. What is installed may be newer still, as that of a point release. */
function isForSecurity(name: string, state: HostState, available: readonly AvailableVersion[]): boolean {
  const installed = state.installed.get(name) ?? '';
  return available.some(
    (one) =>
      one.name === name &&
      /-security(\/|$)/.test(one.suite) &&
      compareDebianVersions(one.version, installed) > 0,
  );
}

/** Reads what `apt-cache madison` prints. */
export function parseMadison(text: string): readonly AvailableVersion[] {
  return text.split('\n').flatMap((line) => {
    const [name, version, source] = line.split('|').map((cell) => cell.trim());
    const [, suite, , kind] = source?.split(' ') ?? [];
    return name && version && suite && kind === 'Packages' ? [{ name, version, suite }] : [];
  });
}

/** What the upgrade comes to: `chosen` is what apt-get would do, `all` what it would do with all packages. */
export function hostWork(
  host: string,
  wish: UpgradeWish,
  state: HostState,
  chosen: SimulationFact,
  all: SimulatedUpgrade,
): HostWork {
  const packages = chosen.installs.map(({ name, from, to }) => ({
    name,
    ...(from !== undefined && { from }),
    to,
  }));
  const names = new Set(packages.map(({ name }) => name));
  const restarted = [...state.uses].filter(([, used]) => [...used].some((name) => names.has(name)));
  return {
    host,
    packages,
    kept: wish.securityOnly ? [] : keptOf(wish, state, names, all),
    services: [...new Set([...state.stale, ...restarted.map(([unit]) => unit)])].filter(isUnit).sort(),
    rebootReasons: [...state.rebootReasons, ...kernelsIn(state, packages)],
  };
}

/** systemd itself is told to run its new code where it stands. */
function isUnit(name: string): boolean {
  return name !== 'init';
}

function keptOf(
  wish: UpgradeWish,
  state: HostState,
  names: ReadonlySet<string>,
  all: SimulatedUpgrade,
): readonly KeptPackage[] {
  return upgradable(all)
    .filter((name) => !names.has(name))
    .filter((name) => wish.packages?.includes(name) ?? true)
    .map((name) => ({ name, why: state.held.has(name) ? 'held' : 'needs others' }));
}

/** Kernels that come with the upgrade: what runs is replaced by a boot alone. */
function kernelsIn(state: HostState, packages: readonly PackageChange[]): readonly string[] {
  if (state.isContainer) return [];
  return packages
    .filter(({ name }) => /^linux-image-\d/.test(name))
    .map(({ name, to = '' }) => `${name} ${to} is a new kernel`);
}

/** Whether there is anything to do: a host is taken out of service for nothing less. */
export function hasWork(work: HostWork, state: HostState, wish: UpgradeWish): boolean {
  return (
    work.packages.length > 0 ||
    state.stale.length > 0 ||
    (wish.rebootIfNeeded && state.rebootReasons.length > 0)
  );
}
