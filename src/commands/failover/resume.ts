import { Command } from 'commander';

import type { CommandContext } from '../context.ts';
import { addClusterOptions, addExamples, clusterChoice } from './options.ts';
import { pauseAt } from '../../failover/cluster/pause.ts';
import { withCoordination } from './session.ts';

/** `failover resume`: the watch may act again. */
export function resumeCommand(_context: CommandContext): Command {
  const command = new Command('resume').description('let the watch act again');
  addClusterOptions(command);
  addExamples(command, [['failover resume', 'after a pause']]);
  return command.action(async () => {
    await withCoordination(clusterChoice(command), async (coordination, cluster) => {
      const { paused } = await coordination.memory();
      const held = pauseAt({ paused }, Date.now());
      if (paused) await coordination.remember((memory) => ({ ...memory, paused: undefined }));
      process.stdout.write(
        `${cluster.name}: automatic recovery ${held ? `goes on (paused by ${held.by}: ${held.reason})` : 'was not paused'}\n`,
      );
    });
  });
}
