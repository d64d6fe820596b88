import { Command, InvalidArgumentError } from 'commander';
import { setTimeout as wait } from 'node:timers/promises';

import { statusJson } from '../../failover/output/json.ts';
import { problems } from '../../failover/problems/problems.ts';
import { EXIT } from '../../lib/errors.ts';
import { palette, wantsColour } from '../../report/palette.ts';
import type { CommandContext } from '../context.ts';
import { addClusterOptions, addExamples, clusterChoice } from './options.ts';
import { look, openSession, type Session } from './session.ts';
import { topologyText } from './topology-text.ts';

interface StatusOptions {
  readonly json?: true;
  readonly watch?: true | number;
}

/** `failover status`: the topology, and what is wrong with it. */
export function statusCommand(context: CommandContext): Command {
  const command = new Command('status').description('show the topology, and what is wrong with it');
  addClusterOptions(command)
    .option('-w, --watch [seconds]', 'show it again and again (default: every second)', parseSeconds)
    .option('--json', 'one JSON object; with --watch one a line');
  addExamples(command, [
    ['failover status', 'who is the primary, who follows, how far'],
    ['failover status --watch', 'while something happens'],
    ['failover status --json | jq -r .primary', 'for scripts'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 no critical problem, 2 a critical problem, 4 no instance answers.',
  );
  return command.action(async () => {
    const options = command.opts<StatusOptions>();
    const session = await openSession(clusterChoice(command));
    try {
      await session.ports.ready();
      if (options.watch === undefined) await show(session, options, false);
      else {
        const { signal } = context;
        const pause = (options.watch === true ? 1 : options.watch) * 1000;
        while (!signal.aborted) {
          await show(session, options, true);
          await wait(pause, undefined, { signal }).catch(() => {});
        }
      }
    } finally {
      await session.close();
    }
  });
}

async function show(session: Session, options: StatusOptions, again: boolean): Promise<void> {
  const { topology, ms } = await look(session);
  const found = problems(topology, session.cluster.settings);
  if (options.json) {
    const json = statusJson(topology, found, ms);
    process.stdout.write(session.redact(`${again ? JSON.stringify(json) : JSON.stringify(json, null, 2)}\n`));
  } else {
    const styles = palette(wantsColour(process.stdout, process.env));
    const text = session.redact(topologyText(topology, found, styles));
    // On a terminal the new one takes the place of the old one.
    const clear = again && process.stdout.isTTY ? '\u001b[H\u001b[2J' : '';
    process.stdout.write(`${clear}${text}${again && clear === '' ? '\n' : ''}`);
  }
  if (!topology.instances.some((instance) => instance.kind === 'answering')) {
    process.exitCode = EXIT.unreachable;
  } else if (found.some((problem) => problem.severity === 'critical')) process.exitCode = EXIT.failed;
  else process.exitCode = EXIT.ok;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 3600)) {
    throw new InvalidArgumentError('It is a number of seconds, from 0.1 to 3600.');
  }
  return seconds;
}
