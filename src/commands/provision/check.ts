import { Command } from 'commander';

import { settings } from '../../config/settings.ts';
import type { CommandContext } from '../context.ts';
import { addExamples, addRunOptions, runOptions } from './options.ts';
import { runCommandWith } from './run-command.ts';

/** `provision check`: shows how the hosts differ from the playbook, with diffs, and touches nothing. */
export function checkCommand(context: CommandContext): Command {
  const command = new Command('check')
    .description('show what would change, and change nothing')
    .argument('[playbook]', 'the playbook', settings().playbook);
  addRunOptions(command, { omit: ['check'] });
  addExamples(command, [
    ['provision check', 'exit code 3 when anything differs'],
    ['provision check --limit web2 --json', 'one host, for a program to read'],
  ]);
  return command.action(async (playbook: string) => {
    await runCommandWith(playbook, { ...runOptions(command), check: true, diff: true }, context);
  });
}
