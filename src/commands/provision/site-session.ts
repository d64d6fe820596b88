import { UserError } from '../../lib/errors.ts';
import type { Dict } from '../../lib/value.ts';
import type { InstanceSpec } from '../../failover/cluster/topology.ts';
import { addressBalancer, type AddressBalancer } from '../../site/address.ts';
import { siteBalancer, type SiteBalancer } from '../../site/balancer.ts';
import { reopened } from '../../transport/reopened.ts';
import { settings } from '../../config/settings.ts';
import { openableClusters, openSession, type Session } from '../failover/session.ts';

/** The balancers of a site, as far as servers are taken out of them, and addresses handed over. */
interface SiteBalancers {
  readonly balancers: readonly SiteBalancer[];
  readonly addressBalancers: readonly AddressBalancer[];
}

/** The balancers of a site and its database, for a command that takes hosts out of service. */
export interface SiteSession extends SiteBalancers {
  readonly database: Session;
  /** The host of that name, or the one that carries the instance of that name; with its instance, if it carries one. */
  readonly find: (word: string) => { readonly host: string; readonly instance: InstanceSpec | undefined };
}

/** The balancers of a site and all its databases. */
export interface WholeSite extends SiteBalancers {
  readonly databases: readonly Session[];
  /** The inventory's directory. */
  readonly directory: string;
}

export interface SiteChoice {
  readonly inventory: string;
  readonly extraVariables: Dict;
  /** The host, or the instance on it, that the command is about: it says which of several databases is meant. */
  readonly host?: string | undefined;
}

/** Opens the ways to every balancer and to the database, does the work, and closes them whatever happens. */
export async function withSite<T>(choice: SiteChoice, work: (site: SiteSession) => Promise<T>): Promise<T> {
  const database = await openSession({
    inventory: choice.inventory,
    extraVars: choice.extraVariables,
    cluster: await clusterOf(choice),
    withoutStore: false,
  });
  try {
    return await work({
      database,
      ...balancersOf(database),
      find(word) {
        const { instances } = database.cluster;
        const instance =
          instances.find(({ name }) => name === word) ?? instances.find(({ host }) => host === word);
        return { host: instance?.host ?? word, instance };
      },
    });
  } finally {
    await database.close();
  }
}

/** Like `withSite`, with every database of the inventory. */
export async function withWholeSite<T>(
  { inventory, extraVariables }: SiteChoice,
  work: (site: WholeSite) => Promise<T>,
): Promise<T> {
  const databases: Session[] = [];
  try {
    for (const cluster of await openableClusters({
      inventory,
      extraVars: extraVariables,
      withoutStore: false,
    }))
      databases.push(await cluster.open());
    // What is asked before any way to them is open counts as silence.
    await Promise.all(databases.map(async ({ ports }) => await ports.ready()));
    const [first] = databases;
    if (first === undefined) throw new Error('an inventory without a cluster is refused before');
    return await work({ databases, ...balancersOf(first), directory: first.directory });
  } finally {
    await Promise.allSettled(databases.map(async (database) => await database.close()));
  }
}

/** The database on that host; any of the site's, which share their balancers, when it carries none. */
async function clusterOf({ inventory, extraVariables, host }: SiteChoice): Promise<string | undefined> {
  const { inventoryClusters } = await import('../failover/cluster.ts');
  const clusters = inventoryClusters({
    inventory,
    playbook: settings().playbook,
    extraVars: extraVariables,
  });
  const having = clusters.filter(({ instances }) =>
    instances.some((instance) => instance.name === host || instance.host === host),
  );
  const [first, second] = having.length === 0 ? clusters.slice(0, 1) : having;
  if (first === undefined || second === undefined) return first?.name;
  throw new UserError({
    message: `"${host ?? ''}" is in ${having.map(({ name }) => name).join(' and in ')}`,
    hint: 'use the name of the host, or one that only one of them has',
  });
}

/** Every balancer of the inventory, each reached when it is asked first. */
function balancersOf({ cluster, shell }: Session): SiteBalancers {
  if (shell === undefined) throw new Error('a site is reached through its inventory');
  const ways = cluster.balancers.map(({ name }) => ({ name, open: reopened(async () => await shell(name)) }));
  return {
    balancers: ways.map(({ name, open }) => siteBalancer(name, open)),
    addressBalancers: ways.map(({ name, open }) => addressBalancer(name, open)),
  };
}
