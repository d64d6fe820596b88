import { Command, InvalidArgumentError } from 'commander';
import { hostname } from 'node:os';

import type { BalancerSpec } from '../../failover/cluster/cluster.ts';
import { sessionStoreJson } from '../../failover/output/session-store-json.ts';
import { balancerWay } from '../../failover/reach/balancer-way.ts';
import { AGENT_KEY } from '../../failover/reach/open-cluster.ts';
import { serviceManager } from '../../failover/watch/service-manager.ts';
import { UserError } from '../../lib/errors.ts';
import { pageAssets } from '../../page/assets.ts';
import { drainedServers, siteAddresses } from '../../page/balancer-eye.ts';
import { observation, type SiteWays, type Watched } from '../../page/observation.ts';
import { servePage } from '../../page/server.ts';
import type { CommandContext } from '../context.ts';
import { addClusterOptions, addExamples, clusterChoice } from './options.ts';
import { storeReader } from './session-store.ts';
import { controlDirectory, type Openable, openableClusters, type Session } from './session.ts';

const PORT = 9997;
/** HAProxy here is asked over the loopback, another one by SSH. */
const HERE_EVERY_MS = 500;
const THERE_EVERY_MS = 3000;

/** `failover page`: what `failover status` says, live, for browsers. */
export function pageCommand(context: CommandContext): Command {
  const command = new Command('page').description(
    'serve a live page of the site to browsers on this machine: the service behind `provision page`',
  );
  addClusterOptions(command).option(
    '--port <port>',
    'where it listens, on the loopback; 0: any',
    parsePort,
    PORT,
  );
  addExamples(command, [
    ['failover page --cluster /etc/understudy/clusters', 'as the service on a balancer does'],
    ['failover page', 'from an inventory: the databases without the balancers'],
    [`curl -s localhost:${PORT}/state | jq .databases[].status.primary`, 'the same as JSON'],
  ]).addHelpText(
    'after',
    '\nIt only looks, and only while somebody has the page open. It ends with SIGTERM or Ctrl-C.',
  );
  return command.action(async () => {
    const { port } = command.opts<{ port: number }>();
    const { signal } = context;
    const clusters = await openableClusters(clusterChoice(command));
    const opened = await Promise.all(
      clusters.map(async (cluster) => await open(cluster, clusters.length === 1)),
    );
    const sessions = opened.flatMap(({ session }) => (session === undefined ? [] : [session]));
    const looking = observation({
      from: hostname(),
      databases: opened.map(({ watched }) => watched),
      site: siteWays(sessions),
      redact: (text) => sessions.reduce((said, session) => session.redact(said), text),
    });
    try {
      const server = await servePage({ observation: looking, assets: pageAssets(), port });
      const manager = serviceManager({ environment: process.env, isAlive: () => true });
      manager.ready();
      process.stdout.write(`http://localhost:${server.port}/\n`);
      if (!signal.aborted)
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      manager.stopping();
      await server.close();
    } finally {
      looking.close();
      await Promise.all(sessions.map(async (session) => await session.close()));
    }
  });
}

interface Opened {
  readonly watched: Watched;
  readonly session?: Session;
}

/** One of several that cannot be opened does not hide the others. */
async function open({ name, open: openSession }: Openable, isOnly: boolean): Promise<Opened> {
  let session: Session | undefined;
  try {
    session = await openSession();
    await session.ports.ready();
    const { cluster, ports } = session;
    const readStore = storeReader(session);
    const sessions = readStore && (async () => sessionStoreJson(await readStore()));
    return { watched: { cluster, ports, dial: ports.dial, sessions }, session };
  } catch (error) {
    await session?.close();
    if (isOnly || !(error instanceof UserError)) throw error;
    return { watched: { name, failure: error.message } };
  }
}

/** The balancers of all clusters, when this is one of them: they know each other, and nobody else is known to them. */
function siteWays(sessions: readonly Session[]): SiteWays | undefined {
  const [first] = sessions;
  if (first === undefined || first.shell !== undefined) return undefined;
  const specs = new Map<string, BalancerSpec>(
    sessions.flatMap(({ cluster }) => cluster.balancers.map((one) => [one.name, one] as const)),
  );
  const { dial } = first.ports;
  const ways = [...specs.values()].map((spec) => {
    const way = balancerWay(spec, { dial, key: AGENT_KEY, controlDirectory: controlDirectory() });
    return { name: spec.name, ...way, everyMs: way.isHere ? HERE_EVERY_MS : THERE_EVERY_MS };
  });
  if (!ways.some(({ isHere }) => isHere)) return undefined;
  return { balancers: ways, addresses: siteAddresses, drained: drainedServers };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('It is a port from 1 to 65535, or 0.');
  return port;
}
