import { Command } from 'commander';

import { serveCoordination } from '../../failover/coordination/serve.ts';
import { UserError } from '../../lib/errors.ts';
import type { CommandContext } from '../context.ts';
import { addClusterOptions, addExamples, type ClusterChoice, clusterChoice } from './options.ts';
import { openableClusters, openSession } from './session.ts';

/** `failover keep`: lock and journal of a single watch's machine, for an operator at the other end of stdin and stdout. */
export function keepCommand(_context: CommandContext): Command {
  const command = new Command('keep').description(
    'serve the lock and the journal of this machine to an operator elsewhere; systemd starts it',
  );
  addClusterOptions(command);
  addExamples(command, [
    ['failover keep --cluster /etc/understudy/clusters', 'as failover-keep@.service calls it on a balancer'],
  ]);
  return command.action(async () => {
    const choice = clusterChoice(command);
    await serveCoordination(
      async (asked) => {
        const { cluster, ports } = await openSession(await keptBy(choice, asked));
        if (cluster.etcd.length > 0) {
          await ports.close();
          throw new UserError(`${cluster.name} has a store, and an operator uses it without anybody's help`);
        }
        return { cluster: cluster.name, coordination: ports.coordination };
      },
      process.stdin,
      process.stdout,
    );
  });
}

/**
 * Whom an operator asks for. Where there is only one cluster it is served whatever it is called: an older release names
 * none, and one that knows of several sees from the answer whether it is right.
 */
async function keptBy(choice: ClusterChoice, asked: string | undefined): Promise<ClusterChoice> {
  const known = await openableClusters(choice);
  return known.length === 1 || asked === undefined ? choice : { ...choice, cluster: asked };
}
