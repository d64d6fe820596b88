import { candidate, type CandidateFact } from '../../facts/candidate.ts';
import { query, type FactQuery, type FactReader } from '../../facts/fact.ts';
import { packageStatus, type PackageFact } from '../../facts/package.ts';
import { compareDebianVersions } from '../../lib/debian-version.ts';
import { quote } from '../../lib/shell.ts';
import type { Diff } from '../../steps/plan.ts';
import type { Step } from '../../steps/step.ts';
import type { AptArgs } from './apt-arguments.ts';
import { aptGet, aptScript, type AptOptions } from './apt-scripts.ts';

export interface PackageWork {
  readonly diffs: readonly Diff[];
  readonly steps: readonly Step[];
  /** Whether the steps are sure to change something; otherwise their output tells. */
  readonly certain: boolean;
  /** What apt-get says that it would do, where that was asked. */
  readonly said?: string | undefined;
}

const NOTHING: PackageWork = { diffs: [], steps: [], certain: true };

interface Wanted {
  readonly name: string;
  readonly version?: string | undefined;
  /** The lowest version that will do. */
  readonly atLeast?: string | undefined;
}

function wantedOf(given: AptArgs): Wanted[] {
  return [...new Set(given.name ?? [])]
    .filter((spec) => spec !== '*' && spec !== '')
    .map((spec) => {
      const [, name = spec, comparison, version] = /^([^=>]+)(>?=)(.*)$/.exec(spec) ?? [];
      return comparison === '>=' ? { name, atLeast: version } : { name, version };
    });
}

/** What must be known of the named packages. */
export function packageFacts(given: AptArgs): FactQuery<PackageFact>[] {
  return wantedOf(given).map(({ name }) => query(packageStatus, name));
}

/** All packages of a task are handled by one call of apt-get. */
export function planPackages(
  given: AptArgs,
  options: AptOptions,
  facts: FactReader,
  listsChange: boolean,
): PackageWork | { readonly need: readonly FactQuery[] } | { readonly failed: string } {
  const wanted = wantedOf(given);
  if (wanted.length === 0) return NOTHING;
  if (given.state === 'absent') return removal(given, wanted, options, facts);
  const latest = given.state === 'latest' && !listsChange;
  const asked = wanted.filter((item) => {
    const status = facts.get(query(packageStatus, item.name));
    const isOld = item.atLeast !== undefined && !isAtLeast(status, item.atLeast);
    return (
      (latest && item.version === undefined) ||
      (!status.installed && status.providedBy.length > 0) ||
      (isOld && !listsChange)
    );
  });
  const queries = asked.map((item) => query(candidate, { name: item.name, release: given.default_release }));
  const need = queries.filter((item) => !facts.has(item));
  if (need.length > 0) return { need };
  const available = (item: Wanted): CandidateFact | undefined => {
    const index = asked.indexOf(item);
    const found = queries[index];
    return found && facts.get(found);
  };

  const diffs: Diff[] = [];
  const specs: string[] = [];
  let certain = true;
  for (const item of wanted) {
    const status = facts.get(query(packageStatus, item.name));
    const verdict = judge(given, item, status, available(item), listsChange);
    if (verdict === 'right') continue;
    const found = available(item);
    if (item.atLeast !== undefined && found !== undefined && !candidateSuffices(found, item.atLeast)) {
      return {
        failed: `no available version of ${item.name} is at least ${item.atLeast}: apt offers ${found.version ?? 'none'}`,
      };
    }
    if (verdict === 'uncertain') certain = false;
    else {
      diffs.push({
        subject: `package ${item.name}`,
        before: status.version === undefined ? '' : `${item.name} ${status.version}\n`,
        after: `${item.name} ${item.version ?? found?.version ?? 'installed'}\n`,
      });
    }
    specs.push(item.version === undefined ? item.name : `${item.name}=${item.version}`);
  }
  if (specs.length === 0) return NOTHING;
  return {
    diffs,
    certain: certain || diffs.length > 0,
    steps: [
      {
        kind: 'script',
        speaks: 'apt',
        description: `install ${specs.join(' ')}`,
        script: aptScript(options, [
          aptGet(options, ...installWords(given), '--', ...specs),
          ...wanted.flatMap((item) =>
            item.atLeast === undefined ? [] : [checkAtLeast(item.name, item.atLeast)],
          ),
        ]),
      },
    ],
  };
}

function isAtLeast(status: PackageFact, version: string): boolean {
  return status.installed && compareDebianVersions(status.version ?? '', version) >= 0;
}

function candidateSuffices(found: CandidateFact, version: string): boolean {
  return found.version !== undefined && compareDebianVersions(found.version, version) >= 0;
}

/** Where the lists are fetched first, only what was installed tells whether it is new enough. */
function checkAtLeast(name: string, version: string): string {
  return [
    `v=$(dpkg-query -W -f='\${Version}' -- ${quote(name)}) && dpkg --compare-versions "$v" ge ${quote(version)} || {`,
    `printf '%s %s was installed, which is not at least %s\\n' ${quote(name)} "$v" ${quote(version)} >&2; exit 1; }`,
  ].join('\n');
}

function judge(
  given: AptArgs,
  item: Wanted,
  status: PackageFact,
  available: CandidateFact | undefined,
  listsChange: boolean,
): 'right' | 'wrong' | 'uncertain' {
  if (status.broken) return 'wrong';
  if (!status.installed) {
    // A virtual package is there when a package that provides it is.
    if (status.providedBy.length > 0 && available?.known === false) return 'right';
    return given.only_upgrade ? 'right' : 'wrong';
  }
  if (item.atLeast !== undefined && !isAtLeast(status, item.atLeast)) return 'wrong';
  if (item.version !== undefined)
    return versionMatches(item.version, status.version ?? '') ? 'right' : 'wrong';
  if (given.state !== 'latest') return given.state === 'fixed' ? 'uncertain' : 'right';
  if (listsChange) return 'uncertain';
  if (available?.version === undefined || available.version === status.version || status.held) return 'right';
  return 'wrong';
}

/** `1.2*` matches any version that begins so. */
function versionMatches(pattern: string, version: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|\\[\]]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(version);
}

function installWords(given: AptArgs): string[] {
  const recommends = given.install_recommends;
  return [
    'install',
    ...(given.default_release === undefined ? [] : ['-t', given.default_release]),
    ...(recommends === undefined ? [] : ['-o', `APT::Install-Recommends=${recommends ? 'yes' : 'no'}`]),
    ...(given.only_upgrade ? ['--only-upgrade'] : []),
    ...(given.state === 'fixed' ? ['--fix-broken'] : []),
    ...(given.autoremove ? ['--auto-remove'] : []),
    ...(given.fail_on_autoremove ? ['--no-remove'] : []),
    ...(given.allow_unauthenticated ? ['--allow-unauthenticated'] : []),
    ...(given.allow_downgrade ? ['--allow-downgrades'] : []),
    ...(given.allow_change_held_packages ? ['--allow-change-held-packages'] : []),
  ];
}

function removal(
  given: AptArgs,
  wanted: readonly Wanted[],
  options: AptOptions,
  facts: FactReader,
): PackageWork {
  const present = wanted.flatMap((item) => {
    const status = facts.get(query(packageStatus, item.name));
    const isThere = status.installed || status.broken || (given.purge && status.hasConfig);
    const isMeant =
      item.atLeast === undefined
        ? item.version === undefined || versionMatches(item.version, status.version ?? '')
        : isAtLeast(status, item.atLeast);
    return isThere && isMeant ? [{ name: item.name, version: status.version }] : [];
  });
  if (present.length === 0) return NOTHING;
  const names = present.map(({ name }) => name);
  const words = [
    ...(given.autoremove ? ['--auto-remove'] : []),
    ...(given.purge ? ['--purge'] : []),
    ...(given.allow_change_held_packages ? ['--allow-change-held-packages'] : []),
  ];
  return {
    certain: true,
    diffs: present.map(({ name, version }) => ({
      subject: `package ${name}`,
      before: `${name} ${version ?? '(configuration)'}\n`,
      after: '',
    })),
    steps: [
      {
        kind: 'script',
        speaks: 'apt',
        description: `remove ${names.join(' ')}`,
        script: aptScript(options, [aptGet(options, 'remove', ...words, '--', ...names)]),
      },
    ],
  };
}
