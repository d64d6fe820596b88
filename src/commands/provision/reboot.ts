import { Command } from 'commander';

import { EXIT, UserError } from '../../lib/errors.ts';
import type { CommandContext } from '../context.ts';
import { maintenanceChoice, maintenancePlaybook, maintenanceVariables } from './maintenance.ts';
import { addExamples } from './options.ts';
import { rollWith } from './roll-command.ts';
import { addRollOptions, type RollOptions, rollOptions } from './roll-options.ts';
import { readStates, type SurveyChoice } from './upgrade-survey.ts';
import { rebootPlan, rebootPlanText } from './upgrade-text.ts';

/** `provision reboot`: boots the hosts again, one after the other, each out of service meanwhile. */
export function rebootCommand(context: CommandContext): Command {
  const command = new Command('reboot').description(
    'boot one host after the other again, each out of service meanwhile',
  );
  addRollOptions(command).option(
    '--if-needed',
    'only hosts for which something asks for it: /run/reboot-required, or a newer kernel',
  );
  addExamples(command, [
    ['provision reboot --hosts web2', 'one host'],
    ['provision reboot --if-needed --yes', 'after an upgrade of kernels'],
    ['provision reboot --if-needed --dry-run', 'which hosts, why, and in which order'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 all have been booted, 2 refused, or a host is not well and the roll has stopped, 4 a host cannot be reached, 130 interrupted when the host that was worked on was done.',
  );
  return command.action(async () => {
    const isNeeded = command.opts<{ ifNeeded?: true }>().ifNeeded ?? false;
    try {
      await reboot(isNeeded, rollOptions(command), context);
    } catch (error) {
      if (!context.signal.aborted || error !== context.signal.reason) throw error;
      process.exitCode = EXIT.interrupted;
    }
  });
}

async function reboot(ifNeeded: boolean, options: RollOptions, context: CommandContext): Promise<void> {
  const choice = maintenanceChoice(options, context.signal);
  const hosts = ifNeeded && !options.resume ? await hostsThatNeedIt(choice, options.json) : choice.hosts;
  if (hosts.length === 0) return;
  await rollWith(
    {
      purpose: ifNeeded ? 'reboot --if-needed' : 'reboot',
      playbook: maintenancePlaybook('reboot'),
      variables: maintenanceVariables([['reboot_if_needed', ifNeeded]]),
      hosts: hosts.join(','),
    },
    options,
    context,
  );
}

async function hostsThatNeedIt(choice: SurveyChoice, json: boolean): Promise<readonly string[]> {
  const { states, problems } = await readStates(choice);
  if (problems.length > 0) throw new UserError(problems, { exitCode: EXIT.unreachable });
  const plan = rebootPlan(new Map([...states].map(([host, state]) => [host, state.rebootReasons])));
  const text = json ? process.stderr : process.stdout;
  text.write(rebootPlanText(plan));
  if (json) process.stdout.write(`${JSON.stringify(plan)}\n`);
  const hosts = [...states].filter(([, state]) => state.rebootReasons.length > 0).map(([host]) => host);
  if (hosts.length === 0) text.write('no host has to be booted\n');
  return hosts;
}
