import { Command } from 'commander';

import type { CommandContext } from '../context.ts';
import { addClusterOptions, addExamples, clusterChoice, operatorName, parseDuration } from './options.ts';
import { withCoordination } from './session.ts';
import { clock } from '../../report/text.ts';
import { olderWatchers, watchersOf } from '../../failover/watch/presence.ts';
import { listed } from '../../lib/listed.ts';

/** `failover pause`: the watch detects and notifies, and changes nothing until `resume`, or for a time. */
export function pauseCommand(_context: CommandContext): Command {
  const command = new Command('pause')
    .description('let the watch only look, until resume or for a time')
    .argument('[reason...]', 'for those who wonder');
  addClusterOptions(command).option(
    '--for <time>',
    'for how long: 30m, 2h (default: until `failover resume`, with a reminder every hour)',
    parseDuration,
  );
  addExamples(command, [
    ['failover pause --for 2h moving the rack', 'before work that looks like a failure; it ends by itself'],
  ]);
  return command.action(async (words: readonly string[]) => {
    const reason = words.length === 0 ? 'no reason given' : words.join(' ');
    const ms = command.opts<{ readonly for?: number }>().for;
    await withCoordination(clusterChoice(command), async (coordination, cluster) => {
      const at = Date.now();
      const until = ms === undefined ? undefined : at + ms;
      await coordination.remember((memory) => ({
        ...memory,
        paused: { by: operatorName(), reason, at, ...(until === undefined ? {} : { until }) },
      }));
      const end = until === undefined ? 'until `failover resume`' : `until ${clock(until)}`;
      process.stdout.write(`${cluster.name}: automatic recovery is paused ${end}\n`);
      const memory = await coordination.memory();
      const older = olderWatchers(memory, at);
      // One that knows the end tells the others.
      if (until !== undefined && older.length > 0 && older.length === watchersOf(memory, at).present.length)
        process.stderr.write(
          `warning: ${listed(older)} ${older.length === 1 ? 'is' : 'are'} of an older release and ${older.length === 1 ? 'does' : 'do'} not know when the pause ends: \`failover resume\` ends it, or \`provision up\` upgrades the watch\n`,
        );
    });
  });
}
