import { Command } from 'commander';

import { planRelocate } from '../../failover/plan/relocate.ts';
import type { CommandContext } from '../context.ts';
import { change } from './change.ts';
import { addClusterOptions, addExamples, clusterChoice, findInstance } from './options.ts';
import { withSession } from './session.ts';

/** `failover relocate`: a replica follows another source. */
export function relocateCommand(context: CommandContext): Command {
  const command = new Command('relocate')
    .description('let a replica follow another source')
    .argument('<instance>', 'the replica: its name, or its host')
    .argument('<source>', 'whom it follows from now on');
  addClusterOptions(command)
    .option('-n, --dry-run', 'show every step, and change nothing')
    .option('--reason <text>', 'for the journal')
    .option('--json', 'one JSON object a line on stdout, text for people on stderr');
  addExamples(command, [['failover relocate db3 db2', 'db3 fetches from db2 instead of the primary']]);
  return command.action(async (word: string, sourceWord: string) => {
    const options = command.opts<{ dryRun?: true; json?: true; reason?: string }>();
    const { signal } = context;
    await withSession(clusterChoice(command, word, sourceWord), async (session) => {
      const instance = findInstance(session.cluster, word).name;
      const below = findInstance(session.cluster, sourceWord).name;
      await change(
        session,
        (topology) => planRelocate(topology, { instance, below }, session.cluster.settings),
        {
          yes: false,
          dryRun: options.dryRun ?? false,
          json: options.json ?? false,
          reason: options.reason ?? 'an operator asked for it',
          purpose: `relocate ${instance} below ${below}`,
          harmless: true,
          signal,
        },
      );
    });
  });
}
