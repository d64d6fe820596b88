import { listed } from '../../lib/listed.ts';
import type { rebootPlanSchema, upgradePlanSchema, upgradeSchema } from '../../report/schema.ts';
import type { HostState } from '../../upgrade/host-state.ts';
import type { HostWork } from '../../upgrade/host-work.ts';
import { type PackageChange, packageChanges } from '../../upgrade/package-change.ts';
import type { z } from 'zod';

type UpgradePlan = z.infer<typeof upgradePlanSchema>;
type Upgrade = z.infer<typeof upgradeSchema>;
type RebootPlan = z.infer<typeof rebootPlanSchema>;

/** What an upgrade would do, as `--json` prints it. */
export function upgradePlan(works: readonly HostWork[]): UpgradePlan {
  return {
    type: 'upgrade-plan',
    hosts: Object.fromEntries(
      works.map(({ host, packages, kept, services, rebootReasons }) => [
        host,
        {
          packages: packages.map(asJson),
          kept: [...kept],
          restarts: [...services],
          reboot: [...rebootReasons],
        },
      ]),
    ),
  };
}

/** The same for people, host by host. */
export function upgradePlanText({ hosts }: UpgradePlan, willReboot: boolean): string {
  return Object.entries(hosts)
    .map(([host, { packages, kept, restarts, reboot }]) =>
      hostText(host, `${countOf(packages)} to upgrade`, [
        ...packages.map(changeText),
        ...(restarts.length > 0 ? [`restarts ${restarts.join(', ')}`] : []),
        ...(reboot.length > 0
          ? [
              `${willReboot ? 'is booted again' : 'needs a reboot (--reboot-if-needed)'}: ${reboot.join('; ')}`,
            ]
          : []),
        ...keptText(kept),
      ]),
    )
    .join('');
}

/** What has become of the packages, as `--json` prints it: read from the hosts before and after. */
export function upgradeResult(
  before: ReadonlyMap<string, HostState>,
  after: ReadonlyMap<string, HostState>,
): Upgrade {
  return {
    type: 'upgrade',
    hosts: Object.fromEntries(
      [...after].flatMap(([host, state]) => {
        const was = before.get(host);
        if (was === undefined) return [];
        const aside = [...state.asideFiles].filter(([path, at]) => was.asideFiles.get(path) !== at);
        return [
          [
            host,
            {
              packages: packageChanges(was.installed, state.installed).map(asJson),
              aside: aside.map(([path]) => path),
              stale: [...state.stale, ...state.staleUntilBoot],
              reboot: [...state.rebootReasons],
            },
          ] as const,
        ];
      }),
    ),
  };
}

/** The same for people: of hosts that have something to tell. */
export function upgradeResultText({ hosts }: Upgrade): string {
  return Object.entries(hosts)
    .filter(([, parts]) => Object.values(parts).some(({ length }) => length > 0))
    .map(([host, { packages, aside, stale, reboot }]) =>
      hostText(host, `${countOf(packages)} upgraded`, [
        ...packages.map(changeText),
        ...aside.map((path) => `kept your configuration: the package's own is ${path}`),
        ...(stale.length > 0 ? [`runs replaced code still: ${stale.join(', ')}`] : []),
        ...(reboot.length > 0 ? [`needs a reboot (provision reboot --if-needed): ${reboot.join('; ')}`] : []),
      ]),
    )
    .join('');
}

/** Which hosts would be booted and why, as `--json` prints it. */
export function rebootPlan(reasons: ReadonlyMap<string, readonly string[]>): RebootPlan {
  return {
    type: 'reboot-plan',
    hosts: Object.fromEntries([...reasons].map(([host, why]) => [host, { reasons: [...why] }])),
  };
}

/** The same for people. */
export function rebootPlanText({ hosts }: RebootPlan): string {
  return Object.entries(hosts)
    .map(
      ([host, { reasons }]) =>
        `${host}: ${reasons.length > 0 ? reasons.join('; ') : 'nothing asks for it'}\n`,
    )
    .join('');
}

function hostText(host: string, title: string, lines: readonly string[]): string {
  return [`${host}: ${title}`, ...lines.map((line) => `  ${line}`), ''].join('\n');
}

function countOf(packages: readonly unknown[]): string {
  return packages.length === 1 ? '1 package' : `${packages.length === 0 ? 'no' : packages.length} packages`;
}

function changeText({ name, from, to }: PackageChange): string {
  if (from === undefined) return `${name} ${to} (new)`;
  return to === undefined ? `${name} ${from} (gone)` : `${name} ${from} → ${to}`;
}

function keptText(kept: HostWork['kept']): readonly string[] {
  const held = kept.filter(({ why }) => why === 'held').map(({ name }) => name);
  const needy = kept.filter(({ why }) => why === 'needs others').map(({ name }) => name);
  return [
    ...(held.length > 0 ? [`stays as it is: ${listed(held)} (held)`] : []),
    ...(needy.length > 0 ? [`stays as it is: ${listed(needy)} (apt would have to remove others)`] : []),
  ];
}

function asJson({ name, from, to }: PackageChange): UpgradePlan['hosts'][string]['packages'][number] {
  return { name, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}
