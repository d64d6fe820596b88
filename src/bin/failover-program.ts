import { Command } from 'commander';

import { UserError } from '../lib/errors.ts';
import { VERSION } from './package.ts';

/** The command line of `failover`. */
export function failoverProgram(): Promise<Command> {
  return Promise.resolve(
    new Command('failover')
      .description(
        'Moves the primary of a MySQL or MariaDB topology. The commands of failover come with the next release.',
      )
      .version(VERSION, '-V, --version')
      .helpCommand(false)
      .argument('[command...]')
      .usage('[options]')
      .allowUnknownOption()
      .action((words: readonly string[]) => {
        throw new UserError({
          message:
            words.length === 0
              ? 'The commands of failover come with the next release.'
              : `failover ${words[0]}: the commands of failover come with the next release.`,
          hint: 'failover --help and failover --version are all there is in this one',
        });
      }),
  );
}
