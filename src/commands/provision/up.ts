import { Command } from 'commander';

import { settings } from '../../config/settings.ts';
import type { CommandContext } from '../context.ts';
import { addExamples, addRunOptions, runOptions } from './options.ts';
import { runCommandWith } from './run-command.ts';

/** `provision up`: makes the hosts what the playbook says. */
export function upCommand(context: CommandContext): Command {
  const command = new Command('up')
    .description('make the hosts what the playbook says')
    .argument('[playbook]', 'the playbook', settings().playbook);
  addRunOptions(command);
  addExamples(command, [
    ['provision up', 'the whole site, on the default inventory'],
    ['provision up -i inventory/vagrant --diff', 'another inventory; show how files change'],
    ['provision up --limit web2 --tags nginx', 'a part of it'],
  ]);
  return command.action(async (playbook: string) => {
    await runCommandWith(playbook, runOptions(command), context);
  });
}
