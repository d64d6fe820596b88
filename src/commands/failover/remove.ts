import { Command } from 'commander';

import type { Topology } from '../../failover/cluster/topology.ts';
import type { Planned, Refusal } from '../../failover/plan/refusals.ts';
import { planRemove } from '../../failover/plan/remove.ts';
import { REMOVE_RISKS, type RiskCode } from '../../failover/plan/risks.ts';
import type { CommandContext } from '../context.ts';
import { change } from './change.ts';
import { addForceOption, type Force, forceOf } from './force.ts';
import { addClusterOptions, addExamples, clusterChoice, findInstance } from './options.ts';
import { type Session, withSession } from './session.ts';

export interface RemoveOptions {
  readonly yes?: true;
  readonly dryRun?: true;
  readonly force?: Force | true;
  readonly json?: true;
  readonly reason?: string;
}

/** `failover remove`: a replica leaves the cluster. */
export function removeCommand(context: CommandContext): Command {
  const command = new Command('remove')
    .description('take a replica out of the cluster for good: it follows nobody, and is forgotten')
    .argument('<instance>', 'the replica: its name, or its host');
  addForceOption(addClusterOptions(command), REMOVE_RISKS)
    .option('-y, --yes', 'do not ask')
    .option('-n, --dry-run', 'show every step, and change nothing')
    .option('--reason <text>', 'for the journal')
    .option('--json', 'one JSON object a line on stdout, text for people on stderr');
  addExamples(command, [
    ['failover remove db3', 'then take it out of the inventory, and run `provision up`'],
  ]);
  return command.action(async (word: string) => {
    const options = command.opts<RemoveOptions>();
    await withSession(clusterChoice(command, word), async (session) => {
      const { name } = findInstance(session.cluster, word);
      await remove(session, name, options, context.signal);
    });
  });
}

/** Takes a replica out of the cluster; the exit code says whether it is out. `first`: what else may speak against it. */
export async function remove(
  session: Session,
  name: string,
  options: RemoveOptions,
  signal: AbortSignal,
  first: (topology: Topology) => readonly Refusal[] = () => [],
): Promise<void> {
  const plan = (topology: Topology, accepts: readonly RiskCode[]): Planned => {
    const refusals = first(topology);
    return refusals.length > 0 ? { refusals } : planRemove(topology, name, session.cluster.settings, accepts);
  };
  await change(session, plan, {
    yes: options.yes ?? false,
    dryRun: options.dryRun ?? false,
    json: options.json ?? false,
    reason: options.reason ?? 'an operator asked for it',
    purpose: `remove ${name}`,
    force: forceOf(options.force),
    signal,
  });
}
