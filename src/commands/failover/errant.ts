import { Command } from 'commander';

import { EXIT } from '../../lib/errors.ts';
import { isEmpty } from '../../database/gtid.ts';
import type { CommandContext } from '../context.ts';
import { describeErrant, errantOf } from './errant-text.ts';
import { addClusterOptions, addExamples, clusterChoice, findInstance } from './options.ts';
import { look, mustAnswer, withSession } from './session.ts';

/** `failover errant`: what an instance has and the primary has not, as the binary log tells it. */
export function errantCommand(_context: CommandContext): Command {
  const command = new Command('errant')
    .description('list transactions that an instance has and the primary has not')
    .argument('[instance]', 'its name, or its host; without, every replica');
  addClusterOptions(command).option('--json', 'one JSON object an instance');
  addExamples(command, [
    ['failover errant', 'on any replica'],
    ['failover errant db1', 'what stands in the way of `failover rejoin db1`'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 none, 2 there are some, 4 an instance that was asked for does not answer.',
  );
  return command.action(async (word: string | undefined) => {
    await withSession(clusterChoice(command, word), async (session) => {
      const specs = word === undefined ? session.cluster.instances : [findInstance(session.cluster, word)];
      const { topology } = await look(session, { withoutBalancers: true });
      mustAnswer(topology);
      const found = await Promise.all(
        specs.map(async (spec) => ({ spec, errant: await errantOf(session, spec, topology) })),
      );
      let code: number = EXIT.ok;
      for (const { spec, errant } of found) {
        if (errant === undefined) {
          if (word === undefined) continue;
          process.stderr.write(`${spec.name}: it or the primary does not answer, or it is the primary\n`);
          code = EXIT.unreachable;
          continue;
        }
        if (command.opts<{ json?: true }>().json) {
          const { instance, primary, gtids, transactions } = errant;
          const json = { instance, primary, gtids: gtids.toString(), transactions };
          process.stdout.write(session.redact(`${JSON.stringify(json)}\n`));
        } else if (!isEmpty(errant.gtids)) {
          process.stdout.write(session.redact(`${describeErrant(errant)}\n`));
        } else process.stdout.write(`${spec.name}: none\n`);
        if (!isEmpty(errant.gtids)) code = EXIT.failed;
      }
      process.exitCode = code;
    });
  });
}
