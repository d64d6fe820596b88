import { setTimeout as wait } from 'node:timers/promises';

import { Command } from 'commander';

import { notReplaced, replacement, replaceRefusals } from '../../failover/plan/replace.ts';
import { REJOIN_RISKS, REMOVE_RISKS } from '../../failover/plan/risks.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import type { CommandContext } from '../context.ts';
import { add, type AddOptions } from './add.ts';
import { textStream } from './change-output.ts';
import { addForceOption } from './force.ts';
import { addClusterOptions, addExamples, clusterChoice, findInstance } from './options.ts';
import { remove } from './remove.ts';
import { look, type Session, withSession } from './session.ts';

const PAUSE_MS = 500;

/** `failover replace`: a new server takes the place of a replica. At every moment the primary has as many ackers as before. */
export function replaceCommand(context: CommandContext): Command {
  const command = new Command('replace')
    .description('let a new server take the place of a replica')
    .argument('<old>', 'the replica that leaves: its name, or its host')
    .argument('<new>', 'the server that takes its place; the inventory names it');
  addForceOption(addClusterOptions(command), [...new Set([...REJOIN_RISKS, ...REMOVE_RISKS])])
    .option('-y, --yes', 'do not ask')
    .option('-n, --dry-run', 'show every step that can be known, and change nothing')
    .option('--clone', "throw the new server's data away, and copy another instance")
    .option('--reason <text>', 'for the journal')
    .option('--json', 'one JSON object a line on stdout, text for people on stderr');
  addExamples(command, [
    ['failover replace db3 db4 --clone', 'then take db3 out of the inventory, and run `provision up`'],
  ]);
  return command.action(async (oldWord: string, newWord: string) => {
    const options = command.opts<AddOptions>();
    await withSession(clusterChoice(command, oldWord, newWord), async (session) => {
      const old = findInstance(session.cluster, oldWord).name;
      const fresh = findInstance(session.cluster, newWord).name;
      await replace(session, { old, fresh }, options, context.signal);
    });
  });
}

async function replace(
  session: Session,
  names: { readonly old: string; readonly fresh: string },
  options: AddOptions,
  signal: AbortSignal,
): Promise<void> {
  const { settings } = session.cluster;
  const { old, fresh } = names;
  await add(session, fresh, options, signal, (topology) => replaceRefusals(topology, names, settings));
  if (process.exitCode !== undefined && process.exitCode !== 0) return;
  if (options.dryRun) {
    textStream(options.json ?? false).write(`\nthen, when ${fresh} acknowledges: failover remove ${old}\n`);
    return;
  }
  await untilReady(session, names, signal);
  await remove(session, old, options, signal, (topology) => notReplaced(topology, names, settings));
}

/** The new one has to be worth as much as the old one before that leaves. */
async function untilReady(
  session: Session,
  { old, fresh }: { readonly old: string; readonly fresh: string },
  signal: AbortSignal,
): Promise<void> {
  const { settings } = session.cluster;
  const until = performance.now() + settings.catchUpTimeoutMs;
  while (replacement((await look(session)).topology, fresh, settings) !== 'ready') {
    if (performance.now() > until) {
      throw new UserError(
        {
          message: `${fresh} is a replica, but has not caught up yet, so ${old} stays`,
          hint: `\`failover lag\` shows how far it is; \`failover remove ${old}\` then`,
        },
        { exitCode: EXIT.failed },
      );
    }
    await wait(PAUSE_MS, undefined, { signal });
  }
}
