import { Command } from 'commander';

import type { CommandContext } from '../context.ts';
import {
  addClusterOptions,
  addExamples,
  clusterChoice,
  findInstance,
  operatorName,
  parseDuration,
} from './options.ts';
import { withCoordination } from './session.ts';
import { clock } from '../../report/text.ts';

const DEFAULT_MS = 3_600_000;

/** `failover downtime begin|end`: what an instance has meanwhile is no problem, and it is no candidate. */
export function downtimeCommand(_context: CommandContext): Command {
  const command = new Command('downtime').description('leave an instance alone while it is worked on');
  const begin = command
    .command('begin')
    .description('from now on its problems are none, and it is no candidate')
    .argument('<instance>', 'its name, or its host')
    .argument('[reason...]', 'for those who wonder');
  addClusterOptions(begin).option('--for <time>', 'how long: 30m, 2h (default: 1h)', parseDuration);
  addExamples(begin, [
    ['failover downtime begin db3 --for 2h new disk', 'for two hours, or until it is ended'],
  ]);
  begin.action(async (word: string, words: readonly string[]) => {
    const ms = begin.opts<{ for?: number }>().for ?? DEFAULT_MS;
    await withCoordination(clusterChoice(begin, word), async (coordination, cluster) => {
      const { name } = findInstance(cluster, word);
      const now = Date.now();
      const downtime = {
        instance: name,
        until: now + ms,
        reason: words.length === 0 ? 'no reason given' : words.join(' '),
        by: operatorName(),
      };
      await coordination.remember((memory) => ({
        ...memory,
        downtimes: [
          ...memory.downtimes.filter((other) => other.instance !== name && other.until > now),
          downtime,
        ],
      }));
      process.stdout.write(`${name}: downtime until ${clock(downtime.until)}\n`);
    });
  });
  const end = command
    .command('end')
    .description('it counts again')
    .argument('<instance>', 'its name, or its host');
  addClusterOptions(end);
  addExamples(command, [
    ['failover downtime begin db3 --for 2h new disk', 'the watch leaves db3 alone'],
    ['failover downtime end db3', 'and may act on it again'],
  ]);
  addExamples(end, [['failover downtime end db3', 'before its time is over']]);
  end.action(async (word: string) => {
    await withCoordination(clusterChoice(end, word), async (coordination, cluster) => {
      const before = await coordination.memory();
      // That of an instance which the inventory no longer names can be ended, too.
      const name = before.downtimes.some(({ instance }) => instance === word)
        ? word
        : findInstance(cluster, word).name;
      const had = before.downtimes.some(({ instance, until }) => instance === name && until > Date.now());
      await coordination.remember((memory) => ({
        ...memory,
        downtimes: memory.downtimes.filter((other) => other.instance !== name),
      }));
      process.stdout.write(`${name}: ${had ? 'its downtime is over' : 'it had no downtime'}\n`);
    });
  });
  return command;
}
