import { Command } from 'commander';

import { undrain } from '../../site/drain.ts';
import type { CommandContext } from '../context.ts';
import { parseDuration } from '../failover/options.ts';
import { endDowntime } from './drain-downtime.ts';
import { undrainJson } from './drain-json.ts';
import { addExamples, addExtraVariables, addInventoryOptions, inventoryOptions } from './options.ts';
import { takeLock } from './run-lock.ts';
import { withSite } from './site-session.ts';

const TIMEOUT_MS = 60_000;

/** `provision undrain`: a server is in service again, once every balancer's check finds it healthy. */
export function undrainCommand(context: CommandContext): Command {
  const command = new Command('undrain')
    .description('put a server back into service, once it is healthy')
    .argument('<host>', 'a server, or the instance that it carries');
  addExtraVariables(addInventoryOptions(command, { omit: 'limit' }))
    .option('--timeout <time>', 'how long it may take to be healthy (default: 1m)', parseDuration)
    .option('--force', 'put it back as it is; the balancers send it nothing while their checks fail')
    .option('--json', 'one JSON object on stdout, text for people on stderr');
  addExamples(command, [
    ['provision undrain web2', 'after the work'],
    ['provision undrain web2 --timeout 5m', 'it needs a while to start'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 it is in service, 2 it is not healthy and stays out, 4 a balancer cannot be reached.',
  );
  return command.action(async (word: string) => {
    const flags = command.opts<{ readonly timeout?: number; readonly force?: true; readonly json?: true }>();
    await withSite({ ...inventoryOptions(command), host: word }, async ({ database, balancers, find }) => {
      const { host, instance } = find(word);
      const lock = takeLock(database.directory, `provision undrain ${host}`);
      try {
        const before = await undrain(balancers, host, {
          timeoutMs: flags.timeout ?? TIMEOUT_MS,
          signal: context.signal,
          unchecked: flags.force ?? false,
        });
        if (instance !== undefined) await endDowntime(database, instance.name);
        if (flags.json) process.stdout.write(`${JSON.stringify(undrainJson(host, before))}\n`);
        const text = flags.json ? process.stderr : process.stdout;
        text.write(`${host} is in service${before === undefined ? '; it was not out' : ' again'}\n`);
      } finally {
        lock.release();
      }
    });
  });
}
