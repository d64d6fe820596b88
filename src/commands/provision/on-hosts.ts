import { settings } from '../../config/settings.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { loadInventory } from '../../inventory/load.ts';
import { mapLimit } from '../../lib/concurrency.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { didYouMean } from '../../lib/similar.ts';
import { localTransport } from '../../transport/local.ts';
import type { Opened } from '../../transport/reopened.ts';
import { sshTransport } from '../../transport/ssh.ts';
import { becomePassword } from '../../variables/address.ts';
import { addressesIn } from './addresses.ts';
import type { InventoryOptions } from './options.ts';

/** Their group: the name by which the roles know them, too. */
const BALANCERS = 'balancers';

/** A host that is connected to, and how to be root there. */
export interface ReachedHost extends Opened {
  readonly connectMs: number;
}

/** What came of the work on a host; an error is one that its user can do something about. */
export type HostOutcome<T> = { readonly host: string } & (
  | { readonly status: 'done'; readonly value: T }
  | { readonly status: 'failed'; readonly error: UserError }
);

/** How the hosts of a command are reached: the options that say so, and what ends connecting. */
type Reach = Pick<InventoryOptions, 'limit' | 'extraVariables'> & {
  readonly signal?: AbortSignal | undefined;
};

/** Connects to these hosts, does the work on all of them at the same time, and closes whatever happens. */
export async function onHosts<T>(
  inventory: Inventory,
  hosts: readonly string[],
  reach: Reach,
  work: (host: ReachedHost) => Promise<T>,
): Promise<readonly HostOutcome<T>[]> {
  return await withHosts(inventory, reach, async (connect) =>
    mapLimit(hosts, settings().forks, async (host) => await outcomeOf(host, connect, work)),
  );
}

/** Does the work on every balancer, or on the one that is meant. */
export async function onBalancers<T>(
  { inventory: directory, ...reach }: Pick<InventoryOptions, 'inventory'> & Reach,
  work: (name: string, open: () => Promise<Opened>) => Promise<T>,
  only?: string,
): Promise<readonly HostOutcome<T>[]> {
  const inventory = loadInventory(directory);
  return await onHosts(
    inventory,
    balancersOf(inventory, only),
    reach,
    async (reached) => await work(reached.connection.host, () => Promise.resolve(reached)),
  );
}

/** Does the work on the first balancer that can be reached, where any of them will do. */
export async function onAnyBalancer<T>(
  { inventory: directory, ...reach }: Pick<InventoryOptions, 'inventory'> & Reach,
  work: (host: ReachedHost) => Promise<T>,
): Promise<T> {
  const inventory = loadInventory(directory);
  return await withHosts(inventory, reach, async (connect) => {
    let last: HostOutcome<T> | undefined;
    for (const name of balancersOf(inventory)) {
      last = await outcomeOf(name, connect, work);
      if (last.status === 'done') return last.value;
      if (last.error.exitCode !== EXIT.unreachable) break;
    }
    throw last?.status === 'failed'
      ? last.error
      : new Error('an inventory without balancers is refused before');
  });
}

/** The balancers of an inventory, or the one of them that is meant. */
function balancersOf(inventory: Inventory, only?: string): readonly string[] {
  const names = inventory.groups.get(BALANCERS) ?? [];
  if (names.length === 0) {
    throw new UserError({
      message: `the inventory ${inventory.directory} has no balancers`,
      hint: `they are the group "${BALANCERS}"`,
    });
  }
  if (only === undefined) return names;
  if (names.includes(only)) return [only];
  throw new UserError({
    message: `there is no balancer "${only}"`,
    hint: didYouMean(only, names) ?? `there are ${names.join(', ')}`,
  });
}

type Connect = (host: string) => Promise<ReachedHost>;

async function outcomeOf<T>(
  host: string,
  connect: Connect,
  work: (host: ReachedHost) => Promise<T>,
): Promise<HostOutcome<T>> {
  try {
    return { host, status: 'done', value: await work(await connect(host)) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { host, status: 'failed', error };
  }
}

async function withHosts<T>(
  inventory: Inventory,
  { limit, extraVariables, signal }: Reach,
  work: (connect: Connect) => Promise<T>,
): Promise<T> {
  const addresses = addressesIn(inventory, {
    extraVars: extraVariables,
    command: { limit, forks: settings().forks },
  });
  const ssh = sshTransport({ hosts: addresses.jumpHost });
  const local = localTransport();
  try {
    return await work(async (host) => {
      const address = addresses.of(host);
      if (address === undefined) throw new Error(`${host} is not in the inventory`);
      const password = becomePassword(addresses.site.variablesOf(host));
      const startedAt = performance.now();
      const connection = await (address === 'local'
        ? local.connect({ name: host, address: 'localhost' })
        : ssh.connect(address, signal));
      return {
        connection,
        become: { user: 'root', ...(password && { password }) },
        connectMs: performance.now() - startedAt,
      };
    });
  } finally {
    await ssh.close();
    await local.close();
  }
}
