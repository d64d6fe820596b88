import { Command, InvalidArgumentError } from 'commander';
import { hostname } from 'node:os';

import { watchMetrics } from '../../failover/output/metrics.ts';
import { notifier } from '../../failover/watch/notify.ts';
import { watchLog, type WatchLog } from '../../failover/watch/log.ts';
import { watchNames } from '../../failover/watch/names.ts';
import { serviceManager } from '../../failover/watch/service-manager.ts';
import { startWatch } from '../../failover/watch/watch.ts';
import { type Watchable, watchAll } from '../../failover/watch/watch-all.ts';
import { UserError } from '../../lib/errors.ts';
import { expositionText } from '../../lib/exposition.ts';
import { parseHostPort } from '../../lib/host-port.ts';
import type { CommandContext } from '../context.ts';
import { serveMetrics } from './metrics-endpoint.ts';
import { addClusterOptions, addExamples, clusterChoice } from './options.ts';
import { type Openable, openableClusters } from './session.ts';
import { readNamesFile, type WatchedNames } from './names-file.ts';

interface WatchOptions {
  readonly json?: true;
  readonly metrics?: { readonly host: string; readonly port: number };
  readonly names?: string;
}

/** `failover watch`: the daemon that detects, recovers and tells, until it is told to stop. */
export function watchCommand(context: CommandContext): Command {
  const command = new Command('watch').description(
    'watch the clusters, and recover them by itself: the daemon that runs on the balancers',
  );
  addClusterOptions(command)
    .option('--metrics <address:port>', 'answer GET /metrics there, for Prometheus', parseAddress)
    .option('--names <file>', "the site's names, of which addresses that no balancer holds are taken out")
    .option('--json', 'one JSON object a line on stdout');
  addExamples(command, [
    ['failover watch --cluster /etc/understudy/clusters', 'as the service on a balancer does'],
    ['failover watch --cluster orders', 'one of several clusters'],
    ['failover watch --metrics 127.0.0.1:9463', 'what it knows and does, as metrics'],
    ['failover pause moving the rack', 'lets it only look, until `failover resume`'],
  ]).addHelpText(
    'after',
    '\nEach of several clusters is watched on its own: trouble with one does not stop the others.' +
      '\nIt ends with SIGTERM: what is under way is finished or taken back first, and the lock is given back.',
  );
  return command.action(async () => {
    const { json = false, metrics, names: namesFile } = command.opts<WatchOptions>();
    const { signal } = context;
    const clusters = await openableClusters(clusterChoice(command));
    const isOne = clusters.length === 1;
    const logOf: LogOf = (cluster, redact) =>
      watchLog({
        cluster,
        named: !isOne,
        json,
        withTime: process.env['JOURNAL_STREAM'] === undefined,
        write: (line) => void process.stdout.write(line),
        redact,
      });
    const manager = serviceManager({ environment: process.env, isAlive: () => watch.isAlive() });
    signal.addEventListener('abort', () => manager.stopping(), { once: true });
    const watch = watchAll(
      // One of several clusters, which all have the same balancers, is enough for the names.
      clusters.map((cluster, index) => watchable(cluster, logOf, index === 0 ? namesFile : undefined)),
      {
        signal,
        onReady: () => manager.ready(),
        onFailure: (cluster, message) =>
          logOf(
            cluster,
            (text) => text,
          )({ event: 'not-watched', level: 'critical', message: `this cluster is not watched: ${message}` }),
      },
    );
    const ending = new AbortController();
    const served =
      metrics &&
      serveMetrics({
        ...metrics,
        text: () => expositionText(watchMetrics(watch.views())),
        signal: ending.signal,
        onFailure: (why) =>
          logOf(
            clusters.map(({ name }) => name).join(', '),
            (text) => text,
          )({ event: 'metrics-failed', level: 'warning', message: `no metrics are given: ${why}` }),
      });
    try {
      await watch.ended;
    } finally {
      ending.abort();
      await served;
    }
  });
}

type LogOf = (cluster: string, redact: (text: string) => string) => WatchLog;

function watchable({ name, open }: Openable, logOf: LogOf, namesFile: string | undefined): Watchable {
  return {
    name,
    start: async (signal, onReady) => {
      const session = await open();
      try {
        await session.ports.ready();
        const { cluster, ports } = session;
        const names = namesFile === undefined ? undefined : readNames(namesFile);
        const redact = (text: string): string =>
          session.redact(names?.status === 'read' ? names.value.secrets.redact(text) : text);
        const log = logOf(cluster.name, redact);
        const notify = notifier({
          ways: cluster.settings.notify,
          redact,
          onFailure: (message) => log({ event: 'notification-failed', level: 'warning', message }),
        });
        const who = `watch@${hostname()}`;
        const watch = startWatch({ cluster, ports, who, log, notify, signal, onReady });
        if (names === undefined) return { ...watch, close: async () => await session.close() };
        const over = new AbortController();
        // Trouble with the names is no reason to leave the database alone.
        const unwatched = (message: string): void =>
          log({
            event: 'not-watched',
            level: 'critical',
            message: `the site's names are not watched: ${message}`,
          });
        const following =
          names.status === 'wrong'
            ? Promise.resolve(unwatched(names.message))
            : watchNames({
                ...names.value,
                who,
                cluster: cluster.name,
                coordination: ports.coordination,
                log,
                notify,
                signal: AbortSignal.any([signal, over.signal]),
              }).catch((error: unknown) => unwatched((error as Error).stack ?? String(error)));
        return {
          ...watch,
          close: async () => {
            over.abort();
            await following;
            await session.close();
          },
        };
      } catch (error) {
        await session.close();
        throw error;
      }
    },
  };
}

type ReadNames =
  | { readonly status: 'read'; readonly value: WatchedNames }
  | { readonly status: 'wrong'; readonly message: string };

function readNames(file: string): ReadNames {
  try {
    return { status: 'read', value: readNamesFile(file) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { status: 'wrong', message: error.message };
  }
}

function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const address = parseHostPort(text, 0);
  if (address === undefined || address.port === 0)
    throw new InvalidArgumentError('It is an address and a port: 127.0.0.1:9463 or [fd00::1]:9463.');
  return address;
}
