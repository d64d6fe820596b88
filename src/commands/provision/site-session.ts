import { EXIT, UserError } from '../../lib/errors.ts';
import type { Dict } from '../../lib/value.ts';
import type { InstanceSpec } from '../../failover/cluster/topology.ts';
import { siteBalancer, type SiteBalancer } from '../../site/balancer.ts';
import { settings } from '../../config/settings.ts';
import { openSession, type Session } from '../failover/session.ts';

/** The balancers of a site and its database, for a command that takes hosts out of service. */
export interface SiteSession {
  readonly database: Session;
  readonly balancers: readonly SiteBalancer[];
  /** The host of that name, or the one that carries the instance of that name; with its instance, if it carries one. */
  readonly find: (word: string) => { readonly host: string; readonly instance: InstanceSpec | undefined };
}

export interface SiteChoice {
  readonly inventory: string;
  readonly extraVariables: Dict;
  /** The host, or the instance on it, that the command is about: it says which of several databases is meant. */
  readonly host?: string | undefined;
}

/** Connects to every balancer, does the work, and closes whatever happens. */
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
      balancers: await connectAll(database),
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

/** A balancer that is not told would go on sending requests, so all of them are needed. */
async function connectAll({ cluster, shell }: Session): Promise<readonly SiteBalancer[]> {
  if (shell === undefined) throw new Error('a site is reached through its inventory');
  const settled = await Promise.allSettled(
    cluster.balancers.map(async ({ name }) => {
      const { connection, become } = await shell(name);
      return siteBalancer(connection, become);
    }),
  );
  const problems = settled.flatMap((one) => {
    if (one.status === 'fulfilled') return [];
    if (one.reason instanceof UserError) return one.reason.problems;
    throw one.reason;
  });
  if (problems.length > 0) throw new UserError(problems, { exitCode: EXIT.unreachable });
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}
