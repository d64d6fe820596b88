import { Command } from 'commander';

import type { CommandContext } from '../context.ts';
import { addExamples, addRunOptions, runOptions } from './options.ts';
import { runCommandWith } from './run-command.ts';

/** `provision run`: runs any playbook, as `ansible-playbook` does. */
export function runCommand(context: CommandContext): Command {
  const command = new Command('run').description('run any playbook').argument('<playbook>', 'the playbook');
  addRunOptions(command);
  addExamples(command, [
    ['provision run deploy.yml -i hosts.yml', 'an Ansible playbook as it stands'],
    ['provision run deploy.yml -C -D', 'what it would change'],
    ['provision run deploy.yml -e version=1.2 -t app', 'with a variable, tasks of one tag'],
  ]);
  return command.action(async (playbook: string) => {
    await runCommandWith(playbook, runOptions(command), context);
  });
}
