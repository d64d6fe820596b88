import { Command } from 'commander';

import { withoutRemoval } from '../../failover/cluster/without-member.ts';
import { planAdd } from '../../failover/plan/add.ts';
import { closes } from '../../failover/plan/close.ts';
import type { Refusal } from '../../failover/plan/refusals.ts';
import { REJOIN_RISKS, type RiskCode } from '../../failover/plan/risks.ts';
import type { Topology } from '../../failover/cluster/topology.ts';
import type { CommandContext } from '../context.ts';
import { change } from './change.ts';
import { addForceOption, type Force, forceOf } from './force.ts';
import { addClusterOptions, addExamples, clusterChoice, findInstance } from './options.ts';
import { type Session, withSession } from './session.ts';

export interface AddOptions {
  readonly yes?: true;
  readonly dryRun?: true;
  readonly clone?: true;
  readonly force?: Force | true;
  readonly json?: true;
  readonly reason?: string;
}

/** `failover add`: a new server becomes a replica. */
export function addCommand(context: CommandContext): Command {
  const command = new Command('add')
    .description('make a server that the inventory names a replica, when it can be one')
    .argument('<instance>', 'its name, or its host');
  addForceOption(addClusterOptions(command), REJOIN_RISKS)
    .option('-y, --yes', 'do not ask')
    .option('-n, --dry-run', 'show every step, and change nothing')
    .option('--clone', 'throw its data away, and copy another instance')
    .option('--reason <text>', 'for the journal')
    .option('--json', 'one JSON object a line on stdout, text for people on stderr');
  addExamples(command, [
    ['failover add db4', 'it is in the inventory and runs, and has nothing that the primary has not'],
    ['failover add db4 --clone', 'whatever it has: its data become a copy'],
  ]);
  return command.action(async (word: string) => {
    const options = command.opts<AddOptions>();
    await withSession(clusterChoice(command, word), async (session) => {
      const { name } = findInstance(session.cluster, word);
      await add(session, name, options, context.signal);
    });
  });
}

/** Makes a server a replica; the exit code says whether it is one. `first`: what else may speak against it. */
export async function add(
  session: Session,
  name: string,
  options: AddOptions,
  signal: AbortSignal,
  first: (topology: Topology) => readonly Refusal[] = () => [],
): Promise<void> {
  const plan = (
    topology: Topology,
    accepts: readonly RiskCode[],
    clone: boolean,
  ): ReturnType<typeof planAdd> => {
    const refusals = first(topology);
    if (refusals.length > 0) return { refusals };
    return planAdd(topology, { instance: name, byHand: true, clone, accepts }, session.cluster.settings);
  };
  await change(session, (topology, accepts) => plan(topology, accepts, options.clone ?? false), {
    yes: options.yes ?? false,
    dryRun: options.dryRun ?? false,
    json: options.json ?? false,
    reason: options.reason ?? 'an operator asked for it',
    purpose: `add ${name}`,
    ...(options.clone
      ? {
          afterCopy: (topology: Topology, accepts: readonly RiskCode[]) => plan(topology, accepts, false),
        }
      : {}),
    // A clone throws something away, and whoever writes there is interrupted.
    harmless: options.clone ? false : (made) => !closes(made),
    force: forceOf(options.force),
    signal,
  });
  const isDone = process.exitCode === undefined || process.exitCode === 0;
  if (isDone && !options.dryRun)
    await session.ports.coordination.remember((memory) => withoutRemoval(memory, name));
}
