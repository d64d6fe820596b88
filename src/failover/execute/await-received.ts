import { contains, type Gtids, parseGtids, subtract, union } from '../../database/gtid.ts';
import type { Limits, Server } from '../../database/server.ts';
import { poll } from '../../lib/async.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Action } from '../plan/action.ts';
import type { Ports } from '../reach/ports.ts';
import type { Done } from './outcome.ts';

/** How often the others are asked what they have received. */
const POLL_MS = 50;

/** One that does not answer has received nothing: another one may have. */
export async function awaitReceived(
  { instance: name, on, count, has, without = '' }: Extract<Action, { readonly do: 'await-received' }>,
  { cluster, ports }: { readonly cluster: Cluster; readonly ports: Ports },
  limits: Limits,
): Promise<Done> {
  const { flavour } = cluster;
  const startedAt = performance.now();
  const left = (): Limits => ({
    ...limits,
    timeoutMs: Math.max(1, limits.timeoutMs - (performance.now() - startedAt)),
  });
  const server = (one: string): Server => {
    const found = ports.servers.get(one);
    if (found === undefined) throw new Error(`a plan names ${one}, which the cluster does not have`);
    return found;
  };
  const holds = subtract(await heldBy(server(name), left()), parseGtids(flavour, without));
  const wanted = union(holds, parseGtids(flavour, has));
  let lacking: readonly string[] = on;
  const enough = await poll(
    async () => {
      const asked = await Promise.all(
        lacking.map(async (other) => {
          const held = await heldBy(server(other), left()).catch(() => undefined);
          return held !== undefined && contains(held, wanted) ? [] : [other];
        }),
      );
      lacking = asked.flat();
      return on.length - lacking.length >= count || undefined;
    },
    { everyMs: POLL_MS, withinMs: left().timeoutMs, signal: limits.signal },
  );
  if (enough) return {};
  throw new UserError(
    `${listed(lacking)} ${lacking.length === 1 ? 'has' : 'have'} not received within ${limits.timeoutMs} ms all that ${name} holds`,
    { exitCode: EXIT.failed },
  );
}

async function heldBy(server: Server, limits: Limits): Promise<Gtids> {
  const { executed, replication } = await server.readState(limits);
  return replication === undefined ? executed : union(executed, replication.backlog);
}
