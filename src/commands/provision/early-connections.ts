import { isDeepStrictEqual } from 'node:util';

import type { Inventory } from '../../inventory/inventory.ts';
import { selectHosts } from '../../inventory/select.ts';
import { UserError } from '../../lib/errors.ts';
import type { Playbook } from '../../playbook/ast.ts';
import type { Connection, HostAddress, Transport } from '../../transport/transport.ts';
import { addressesIn, type AddressSources } from './addresses.ts';

export interface EarlyConnectionOptions extends AddressSources {
  readonly limit?: string | undefined;
  readonly forks: number;
}

interface Early {
  readonly address: HostAddress;
  readonly connection: Promise<Connection>;
  failed: boolean;
}

/**
 * Begins to connect to the hosts of the first play, while there is still code to load, and gives a transport that
 * hands these connections out. One that failed before anybody asked for it is no failure: it is tried again.
 */
export function connectEarly(
  transport: Transport,
  inventory: Inventory,
  playbook: Playbook,
  options: EarlyConnectionOptions,
): Transport {
  const waiting = new Map<string, Early>();
  for (const address of firstAddresses(inventory, playbook, options)) {
    const early: Early = { address, connection: transport.connect(address), failed: false };
    early.connection.catch(() => {
      early.failed = true;
    });
    waiting.set(address.name, early);
  }
  return {
    async connect(address, signal) {
      const early = waiting.get(address.name);
      waiting.delete(address.name);
      if (early && !early.failed && isSame(early.address, address)) return await early.connection;
      return await transport.connect(address, signal);
    },
    close: async () => await transport.close(),
  };
}

/** None where the addresses are known only in the run; what is wrong with the inventory is for the run to say. */
function firstAddresses(
  inventory: Inventory,
  playbook: Playbook,
  options: EarlyConnectionOptions,
): readonly HostAddress[] {
  // A play whose hosts are worked out in the run, and which may have none, does not keep the next one's waiting.
  const play = playbook.plays.find(({ hosts }) => !String(hosts.value).includes('{'));
  const pattern = play?.hosts.value;
  if (typeof pattern !== 'string' || play?.varsFiles.length !== 0) return [];
  try {
    const { hosts } = selectHosts(inventory, pattern, options.limit);
    const addresses = addressesIn(inventory, { ...options, play, beforeLookup: notBeforeTheRun });
    return hosts.slice(0, options.forks).flatMap((name) => {
      const address = addresses.of(name);
      return address === undefined || address === 'local' ? [] : [address];
    });
  } catch {
    return [];
  }
}

/** A lookup may run a command or make a password: once, and in the run. */
function notBeforeTheRun(name: string): never {
  throw new UserError(`the lookup ${name} is the run's to make`);
}

function isSame(one: HostAddress, other: HostAddress): boolean {
  const revealed = (address: HostAddress) => ({
    ...address,
    password: address.password?.reveal(),
    passphrase: address.passphrase?.reveal(),
  });
  return isDeepStrictEqual(revealed(one), revealed(other));
}
