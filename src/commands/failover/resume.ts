import { Command } from 'commander';

import type { CommandContext } from '../context.ts';
import { addClusterOptions, addExamples, clusterChoice } from './options.ts';
import { withCoordination } from './session.ts';

/** `failover resume`: the watch may act again. */
export function resumeCommand(_context: CommandContext): Command {
  const command = new Command('resume').description('let the watch act again');
  addClusterOptions(command);
  addExamples(command, [['failover resume', 'after a pause']]);
  return command.action(async () => {
    await withCoordination(clusterChoice(command), async (coordination, cluster) => {
      const { paused } = await coordination.memory();
      if (paused) await coordination.remember((memory) => ({ ...memory, paused: undefined }));
      process.stdout.write(
        `${cluster.name}: automatic recovery ${paused ? `goes on (paused by ${paused.by}: ${paused.reason})` : 'was not paused'}\n`,
      );
    });
  });
}
