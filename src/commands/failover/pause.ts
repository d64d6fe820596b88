import { Command } from 'commander';

import type { CommandContext } from '../context.ts';
import { addClusterOptions, addExamples, clusterChoice, operatorName } from './options.ts';
import { withCoordination } from './session.ts';

/** `failover pause`: the watch detects and notifies, and changes nothing until `resume`. */
export function pauseCommand(_context: CommandContext): Command {
  const command = new Command('pause')
    .description('let the watch only look, until resume')
    .argument('[reason...]', 'for those who wonder');
  addClusterOptions(command);
  addExamples(command, [['failover pause moving the rack', 'before work that looks like a failure']]);
  return command.action(async (words: readonly string[]) => {
    const reason = words.length === 0 ? 'no reason given' : words.join(' ');
    await withCoordination(clusterChoice(command), async (coordination, cluster) => {
      await coordination.remember((memory) => ({
        ...memory,
        paused: { by: operatorName(), reason, at: Date.now() },
      }));
      process.stdout.write(`${cluster.name}: automatic recovery is paused\n`);
    });
  });
}
