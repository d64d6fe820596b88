import { Command } from 'commander';

import { EXIT } from '../../lib/errors.ts';
import type { CommandContext } from '../context.ts';
import { appSite } from './app-site.ts';
import { addExamples, addExtraVariables, addInventoryOptions, inventoryOptions } from './options.ts';
import { releasesJson } from './release-json.ts';
import { releasesText } from './releases-text.ts';

/** `provision releases`: which releases are kept, which one is served, and what every server says of it. */
export function releasesCommand(_context: CommandContext): Command {
  const command = new Command('releases').description(
    'show the kept releases of the app, who deployed them, and which server serves which',
  );
  addExtraVariables(addInventoryOptions(command, { omit: 'limit' })).option(
    '--json',
    'one JSON object on stdout',
  );
  addExamples(command, [
    ['provision releases', 'what is kept, and what is served'],
    ['provision releases --json | jq -r .current', 'for a script'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 every server serves the current release, 3 one serves another, 4 one does not answer.',
  );
  return command.action(async () => {
    const site = appSite(inventoryOptions(command));
    const answers = await site.ask(site.servers);
    const shown = releasesJson(site, answers);
    process.stdout.write(
      command.opts<{ readonly json?: true }>().json ? `${JSON.stringify(shown)}\n` : releasesText(shown),
    );
    const { current, servers } = shown;
    if (servers.some(({ trouble }) => trouble !== undefined)) process.exitCode = EXIT.unreachable;
    else if (
      current !== null &&
      servers.some(({ runs, current: next }) => runs !== current || next !== current)
    )
      process.exitCode = EXIT.drift;
  });
}
