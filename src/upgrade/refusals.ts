import { serverVersion, upgradeRefusal } from '../database/upgrade-rule.ts';
import type { Version } from '../database/version.ts';
import type { SimulationFact } from '../facts/apt-simulation.ts';
import type { Problem } from '../lib/errors.ts';
import { listed } from '../lib/listed.ts';
import { didYouMean } from '../lib/similar.ts';
import type { HostWork } from './host-work.ts';

/** An instance of the database, on which host it is, and what runs; undefined: it does not answer. */
export interface RunningInstance {
  readonly cluster: string;
  readonly name: string;
  readonly host: string;
  readonly version: Version | undefined;
}

/** Packages that must go for what was asked for: a roll removes none. */
export function removalRefusals(host: string, { removes }: SimulationFact): readonly Problem[] {
  if (removes.length === 0) return [];
  return [
    {
      message: `${host}: that would remove ${listed(removes.map(({ name }) => name))}`,
      hint: 'an upgrade removes nothing: leave out what needs it, or do that by hand',
    },
  ];
}

/** Names that no host has installed. */
export function unknownPackages(
  names: readonly string[],
  installed: readonly ReadonlyMap<string, string>[],
): readonly Problem[] {
  return names
    .filter((name) => !installed.some((packages) => packages.has(name)))
    .map((name) => ({
      message: `no host has a package "${name}"`,
      hint: didYouMean(
        name,
        installed.flatMap((packages) => [...packages.keys()]),
      ),
    }));
}

/** Whether the servers of the database that come with the packages may be brought about one after the other. */
export function versionRefusals(
  works: readonly HostWork[],
  instances: readonly RunningInstance[],
): readonly Problem[] {
  return works.flatMap(({ host, packages }) => {
    const change = packages
      .map(({ name, from = '', to = '' }) => ({
        from: serverVersion(name, from),
        to: serverVersion(name, to),
      }))
      .find(({ from, to }) => from !== undefined && to !== undefined);
    if (change?.from === undefined || change.to === undefined) return [];
    const { from, to } = change;
    return instances
      .filter((instance) => instance.host === host)
      .flatMap(({ cluster, name, version }) => {
        const others = instances.flatMap((other) =>
          other.cluster === cluster && other.name !== name && other.version
            ? [{ name: other.name, version: other.version }]
            : [],
        );
        const refusal = upgradeRefusal({ name, from: version ?? from, to }, others);
        return refusal === undefined
          ? []
          : [
              {
                message: `${host}: ${refusal}`,
                hint: `hold it there meanwhile (apt-mark hold), or leave ${host} out; docs/upgrading.md says how a new release is come by`,
              },
            ];
      });
  });
}

/** Whether any of it is a server of the database. */
export function bringsServer({ packages }: HostWork): boolean {
  return packages.some(({ name, to = '' }) => serverVersion(name, to) !== undefined);
}
