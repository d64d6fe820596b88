import { EXIT, UserError } from '../../lib/errors.ts';
import type { Dict } from '../../lib/value.ts';
import type { InstanceSpec } from '../../failover/cluster/topology.ts';
import { siteBalancer, type SiteBalancer } from '../../site/balancer.ts';
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
    instances: choice.host === undefined ? [] : [choice.host],
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
