import { Command } from 'commander';
import { hostname } from 'node:os';

import { notifier } from '../../failover/watch/notify.ts';
import { watchLog } from '../../failover/watch/log.ts';
import { serviceManager } from '../../failover/watch/service-manager.ts';
import { startWatch } from '../../failover/watch/watch.ts';
import type { CommandContext } from '../context.ts';
import { addClusterOptions, addExamples, clusterChoice } from './options.ts';
import { withSession } from './session.ts';

interface WatchOptions {
  readonly json?: true;
}

/** `failover watch`: the daemon that detects, recovers and tells, until it is told to stop. */
export function watchCommand(context: CommandContext): Command {
  const command = new Command('watch').description(
    'watch the cluster, and recover it by itself: the daemon that runs on the balancers',
  );
  addClusterOptions(command).option('--json', 'one JSON object a line on stdout');
  addExamples(command, [
    ['failover watch --cluster /etc/understudy/cluster.json', 'as the service on a balancer does'],
    ['failover pause moving the rack', 'lets it only look, until `failover resume`'],
  ]).addHelpText(
    'after',
    '\nIt ends with SIGTERM: what is under way is finished or taken back first, and the lock is given back.',
  );
  return command.action(async () => {
    const { json } = command.opts<WatchOptions>();
    const { signal } = context;
    await withSession(clusterChoice(command), async (session) => {
      const { cluster, ports } = session;
      const redact = (text: string): string => session.redact(text);
      const log = watchLog({
        cluster: cluster.name,
        json: json ?? false,
        withTime: process.env['JOURNAL_STREAM'] === undefined,
        write: (line) => void process.stdout.write(line),
        redact,
      });
      const manager = serviceManager({
        environment: process.env,
        isAlive: () => watch.isAlive(),
      });
      const notify = notifier({
        ways: cluster.settings.notify,
        redact,
        onFailure: (message) => log({ event: 'notification-failed', level: 'warning', message }),
      });
      signal.addEventListener('abort', () => manager.stopping(), { once: true });
      const watch = startWatch({
        cluster,
        ports,
        who: `watch@${hostname()}`,
        log,
        notify,
        signal,
        onReady: () => manager.ready(),
      });
      await watch.ended;
    });
  });
}
