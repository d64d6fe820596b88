import { Command } from 'commander';

import { planRemove } from '../../failover/plan/remove.ts';
import type { CommandContext } from '../context.ts';
import { change } from './change.ts';
import { addClusterOptions, addExamples, clusterChoice, findInstance } from './options.ts';
import { withSession } from './session.ts';

/** `failover remove`: a replica leaves the cluster. */
export function removeCommand(context: CommandContext): Command {
  const command = new Command('remove')
    .description('take a replica out of the cluster for good: it follows nobody, and is forgotten')
    .argument('<instance>', 'the replica: its name, or its host');
  addClusterOptions(command)
    .option('-y, --yes', 'do not ask')
    .option('-n, --dry-run', 'show every step, and change nothing')
    .option('--reason <text>', 'for the journal')
    .option('--json', 'one JSON object a line on stdout, text for people on stderr');
  addExamples(command, [
    ['failover remove db3', 'then take it out of the inventory, and run `provision up`'],
  ]);
  return command.action(async (word: string) => {
    const options = command.opts<{ yes?: true; dryRun?: true; json?: true; reason?: string }>();
    const { signal } = context;
    await withSession(clusterChoice(command, word), async (session) => {
      const { name } = findInstance(session.cluster, word);
      await change(session, (topology) => planRemove(topology, name, session.cluster.settings), {
        yes: options.yes ?? false,
        dryRun: options.dryRun ?? false,
        json: options.json ?? false,
        reason: options.reason ?? 'an operator asked for it',
        purpose: `remove ${name}`,
        signal,
      });
    });
  });
}
