import { readFileSync } from 'node:fs';

import type { Dial } from '../../lib/dial.ts';
import { createServer } from '../../database/create-server.ts';
import type { Server } from '../../database/server.ts';
import type { Cluster } from '../cluster/cluster.ts';

/** A handle for each instance of a cluster, by name. Each connects at its first query. */
export function openServers(cluster: Cluster, dial: Dial): ReadonlyMap<string, Server> {
  const { settings, accounts, tls } = cluster;
  const ca = tls.ca === undefined ? undefined : readFileSync(tls.ca, 'utf8');
  return new Map(
    cluster.instances.map(({ name, host, address, port }) => [
      name,
      createServer({
        name,
        flavour: cluster.flavour,
        address,
        port,
        dial,
        accounts,
        // The certificates of the role mysql name the host as in the inventory.
        tls: { ca, serverName: ca === undefined ? undefined : host },
        replicaCa: tls.replicaCa,
        connectTimeoutMs: settings.connectTimeoutMs,
        longTransactionSeconds: settings.longTransactionSeconds,
      }),
    ]),
  );
}
