import { Command } from 'commander';

import { planRejoin, type RejoinWish } from '../../failover/plan/rejoin.ts';
import { REJOIN_RISKS, type RiskCode } from '../../failover/plan/risks.ts';
import type { Topology } from '../../failover/cluster/topology.ts';
import { UserError } from '../../lib/errors.ts';
import type { CommandContext } from '../context.ts';
import { change } from './change.ts';
import { addForceOption, type Force, forceOf } from './force.ts';
import { errantText } from './errant-text.ts';
import { addStoreOption, addClusterOptions, addExamples, clusterChoice, findInstance } from './options.ts';
import { withSession } from './session.ts';

interface RejoinOptions {
  readonly yes?: true;
  readonly dryRun?: true;
  readonly clone?: true;
  readonly injectEmpty?: true;
  readonly force?: Force | true;
  readonly json?: true;
  readonly reason?: string;
}

/** `failover rejoin`: an instance becomes a replica of the primary again. */
export function rejoinCommand(context: CommandContext): Command {
  const command = new Command('rejoin')
    .description('make an instance a replica of the primary again')
    .argument('<instance>', 'its name, or its host');
  addForceOption(addStoreOption(addClusterOptions(command)), REJOIN_RISKS)
    .option('-y, --yes', 'do not ask')
    .option('-n, --dry-run', 'show every step, and change nothing')
    .option('--clone', 'throw its data away, and copy another instance')
    .option(
      '--inject-empty',
      'MySQL: keep its errant transactions there, and let them count as executed everywhere',
    )
    .option('--reason <text>', 'for the journal')
    .option('--json', 'one JSON object a line on stdout, text for people on stderr');
  addExamples(command, [
    ['failover rejoin db1', 'the old primary comes back; its errant transactions, if any, are listed'],
    ['failover rejoin db1 --clone', 'its data are replaced by a copy'],
    ['failover rejoin db1 --clone --force commits-wait', 'where nobody else acknowledges'],
  ]);
  return command.action(async (word: string) => {
    const options = command.opts<RejoinOptions>();
    const { signal } = context;
    if (options.clone && options.injectEmpty) {
      throw new UserError('--clone and --inject-empty exclude each other');
    }
    await withSession(clusterChoice(command, word), async (session) => {
      const spec = findInstance(session.cluster, word);
      const wish: RejoinWish = {
        instance: spec.name,
        clone: options.clone ?? false,
        injectEmpty: options.injectEmpty ?? false,
        byHand: true,
      };
      const plan = (topology: Topology, what: RejoinWish): ReturnType<typeof planRejoin> =>
        planRejoin(topology, what, session.cluster.settings);
      await change(session, (topology, accepts) => plan(topology, { ...wish, accepts }), {
        yes: options.yes ?? false,
        dryRun: options.dryRun ?? false,
        json: options.json ?? false,
        reason: options.reason ?? 'an operator asked for it',
        purpose: `rejoin ${spec.name}`,
        ...(options.clone
          ? {
              afterCopy: (topology: Topology, accepts: readonly RiskCode[]) =>
                plan(topology, { ...wish, accepts, clone: false }),
            }
          : {}),
        // Only a clone throws something away.
        harmless: !options.clone && !options.injectEmpty,
        force: forceOf(options.force),
        signal,
      });
      if (process.exitCode !== undefined && process.exitCode !== 0 && !options.clone && !options.json) {
        const text = await errantText(session, spec);
        if (text !== undefined) process.stderr.write(session.redact(`${text}\n`));
      }
    });
  });
}
