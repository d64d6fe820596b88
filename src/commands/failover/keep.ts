import { Command } from 'commander';

import { serveCoordination } from '../../failover/coordination/serve.ts';
import { UserError } from '../../lib/errors.ts';
import type { CommandContext } from '../context.ts';
import { addClusterOptions, addExamples, clusterChoice } from './options.ts';
import { withSession } from './session.ts';

/** `failover keep`: lock and journal of a single watch's machine, for an operator at the other end of stdin and stdout. */
export function keepCommand(_context: CommandContext): Command {
  const command = new Command('keep').description(
    'serve the lock and the journal of this machine to an operator elsewhere; systemd starts it',
  );
  addClusterOptions(command);
  addExamples(command, [
    [
      'failover keep --cluster /etc/understudy/cluster.json',
      'as failover-keep@.service calls it on a balancer',
    ],
  ]);
  return command.action(async () => {
    await withSession(clusterChoice(command), async ({ cluster, ports }) => {
      if (cluster.etcd.length > 0) {
        throw new UserError(`${cluster.name} has a store, and an operator uses it without anybody's help`);
      }
      await serveCoordination(ports.coordination, process.stdin, process.stdout);
    });
  });
}
