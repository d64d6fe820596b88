import { Command } from 'commander';

import type { CommandContext } from '../context.ts';
import { addClusterOptions, addExamples, clusterChoice } from './options.ts';
import { withCoordination } from './session.ts';
import { clock } from '../../report/text.ts';

/** `failover ack`: somebody has seen the last automatic failover, so that another one may follow. */
export function ackCommand(_context: CommandContext): Command {
  const command = new Command('ack').description(
    'acknowledge the last automatic failover, so that another may follow',
  );
  addClusterOptions(command);
  addExamples(command, [['failover ack', 'after looking at what happened: failover history']]);
  return command.action(async () => {
    await withCoordination(clusterChoice(command), async (coordination, cluster) => {
      const { unacknowledged } = await coordination.memory();
      if (unacknowledged) {
        await coordination.remember((memory) =>
          memory.unacknowledged?.id === unacknowledged.id ? { ...memory, unacknowledged: undefined } : memory,
        );
      }
      process.stdout.write(
        unacknowledged
          ? `${cluster.name}: the failover of ${clock(unacknowledged.at)} is acknowledged\n`
          : `${cluster.name}: there is nothing to acknowledge\n`,
      );
    });
  });
}
