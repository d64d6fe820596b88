import { settings } from '../../config/settings.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { mapLimit } from '../../lib/concurrency.ts';
import { UserError } from '../../lib/errors.ts';
import { localTransport } from '../../transport/local.ts';
import { sshTransport } from '../../transport/ssh.ts';
import type { Become, Connection } from '../../transport/transport.ts';
import { becomePassword } from '../../variables/address.ts';
import { addressesIn } from './addresses.ts';
import type { InventoryOptions } from './options.ts';

/** A host that is connected to, and how to be root there. */
export interface ReachedHost {
  readonly connection: Connection;
  readonly become: Become;
  readonly connectMs: number;
}

/** What came of the work on a host; an error is one that its user can do something about. */
export type HostOutcome<T> = { readonly host: string } & (
  | { readonly status: 'done'; readonly value: T }
  | { readonly status: 'failed'; readonly error: UserError }
);

interface Interruptible {
  /** Ends what has not been connected yet. */
  readonly signal?: AbortSignal | undefined;
}

/** Connects to these hosts, does the work on all of them at the same time, and closes whatever happens. */
export async function onHosts<T>(
  inventory: Inventory,
  hosts: readonly string[],
  { limit, extraVariables, signal }: Pick<InventoryOptions, 'limit' | 'extraVariables'> & Interruptible,
  work: (host: ReachedHost) => Promise<T>,
): Promise<readonly HostOutcome<T>[]> {
  const { forks } = settings();
  const addresses = addressesIn(inventory, { extraVars: extraVariables, command: { limit, forks } });
  const ssh = sshTransport({ hosts: addresses.jumpHost });
  const local = localTransport();
  try {
    return await mapLimit(hosts, forks, async (host): Promise<HostOutcome<T>> => {
      try {
        const address = addresses.of(host);
        if (address === undefined) throw new Error(`${host} is not in the inventory`);
        const password = becomePassword(addresses.site.variablesOf(host));
        const startedAt = performance.now();
        const connection = await (address === 'local'
          ? local.connect({ name: host, address: 'localhost' })
          : ssh.connect(address, signal));
        const value = await work({
          connection,
          become: { user: 'root', ...(password && { password }) },
          connectMs: performance.now() - startedAt,
        });
        return { host, status: 'done', value };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { host, status: 'failed', error };
      }
    });
  } finally {
    await ssh.close();
    await local.close();
  }
}
