import { UserError } from '../../lib/errors.ts';
import { didYouMean } from '../../lib/similar.ts';

/** A cluster by its names, before anything else of it is read. */
export interface NamedCluster {
  readonly name: string;
  /** The inventory's group of its hosts; undefined for a description on a host of the cluster. */
  readonly group?: string | undefined;
  readonly instances: readonly { readonly name: string; readonly host: string }[];
}

/** What a command line says about which cluster it means. */
export interface ClusterWish {
  /** The name of the cluster, or of its group. */
  readonly cluster?: string | undefined;
  readonly group?: string | undefined;
  /** Words that name instances, or the hosts that carry them. */
  readonly instances?: readonly string[] | undefined;
}

/**
 * The clusters that are meant: the named one; without a name the only one that has all the named instances; without
 * those, all. A word that is an instance of two clusters is refused, whichever of its names that is.
 */
export function chosenClusters<T extends NamedCluster>(
  clusters: readonly T[],
  { cluster, group, instances = [] }: ClusterWish,
): readonly T[] {
  if (cluster !== undefined) {
    const found =
      clusters.find((each) => each.name === cluster) ?? clusters.find((each) => each.group === cluster);
    if (found) return [found];
    const names = clusters.map(({ name }) => name);
    throw new UserError({
      message: `there is no cluster "${cluster}"`,
      hint: didYouMean(cluster, names) ?? `there are ${names.join(', ')}`,
    });
  }
  if (group !== undefined) {
    const found = clusters.filter((each) => each.group === group);
    if (found.length > 0) return found;
    throw new UserError({
      message: `there is no cluster of a group "${group}"`,
      hint: `there are ${clusters.map(namesOf).join(', ')}`,
    });
  }
  if (clusters.length < 2 || instances.length === 0) return clusters;
  const having = clusters.filter((each) => instances.every((word) => hasInstance(each, word)));
  if (having.length === 1) return having;
  const words = instances.map((word) => `"${word}"`).join(' and ');
  const all = clusters.flatMap((each) => each.instances.flatMap(({ name, host }) => [name, host]));
  if (having.length === 0) {
    const unknown = instances.find((word) => !all.includes(word));
    throw new UserError({
      message: `no cluster has ${instances.length > 1 ? 'both ' : 'an instance '}${words}`,
      hint: (unknown && didYouMean(unknown, all)) ?? `there are ${clusters.map(instancesOf).join('; ')}`,
    });
  }
  throw new UserError({
    message: `${words} ${instances.length > 1 ? 'are' : 'is'} in ${having.map(({ name }) => name).join(' and in ')}`,
    hint: 'choose one with --cluster NAME',
  });
}

/** The one cluster that is meant; throws when that could be several. */
export function chosenCluster<T extends NamedCluster>(clusters: readonly T[], wish: ClusterWish): T {
  const [first, ...others] = chosenClusters(clusters, wish);
  if (first !== undefined && others.length === 0) return first;
  throw new UserError({
    message: `there are several clusters: ${clusters.map(namesOf).join(', ')}`,
    hint: 'choose one with --cluster NAME; `failover status` shows all of them',
  });
}

function hasInstance({ instances }: NamedCluster, word: string): boolean {
  return instances.some(({ name, host }) => name === word || host === word);
}

function namesOf({ name, group }: NamedCluster): string {
  return group === undefined || group === name ? name : `${name} (group ${group})`;
}

function instancesOf({ name, instances }: NamedCluster): string {
  return `${instances.map((instance) => instance.name).join(', ')} in ${name}`;
}
