import { Command } from 'commander';

import type { CommandContext } from '../context.ts';
import { addExamples } from './options.ts';
import { rollWith } from './roll-command.ts';
import { addRollOptions, rollOptions } from './roll-options.ts';

/** `provision roll`: a playbook on every host in turn, each out of service meanwhile. */
export function rollCommand(context: CommandContext): Command {
  const command = new Command('roll')
    .description('run a playbook on one host after the other, each out of service meanwhile')
    .argument('<playbook>', 'what is done on each host');
  addExamples(addRollOptions(command), [
    ['provision roll playbooks/kernel.yml', 'servers, the primary last of them, then balancers'],
    ['provision roll my.yml --hosts servers --serial 2', 'two at a time, where six or more serve'],
    ['provision roll my.yml --dry-run', 'who goes when, and what the site is left with'],
    ['provision roll my.yml --resume', 'go on where the last one stopped'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 all are done, 2 refused, or a host is not well and the roll has stopped, 4 a balancer cannot be reached, 130 interrupted when the host that was worked on was done.',
  );
  return command.action(async (playbook: string) => {
    await rollWith(
      { purpose: `roll ${playbook}`, playbook, variables: new Map(), hosts: 'all' },
      rollOptions(command),
      context,
    );
  });
}
