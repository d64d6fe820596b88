import { Command } from 'commander';

import { EXIT, UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import { clientKey, mergeLimited } from '../../site/limits.ts';
import type { CommandContext } from '../context.ts';
import { limitsJson } from './limits-json.ts';
import { limitsText } from './limits-text.ts';
import { addExamples, addExtraVariables, addInventoryOptions, inventoryOptions } from './options.ts';
import { type SiteSession, withSite } from './site-session.ts';

interface LimitsFlags {
  readonly all?: true;
  readonly clear?: string;
  readonly json?: true;
}

/** `provision limits`: which clients the balancers refuse, by which limit; and letting one of them go. */
export function limitsCommand(_context: CommandContext): Command {
  const command = new Command('limits').description(
    'show which clients the balancers limit now, and let one of them go',
  );
  addExtraVariables(addInventoryOptions(command, { omit: 'limit' }))
    .option('--all', 'also those that were refused something before the last minute')
    .option('--clear <client>', 'count anew from zero for this address, or IPv6 network of 64 bits')
    .option('--json', 'one JSON object on stdout');
  addExamples(command, [
    ['provision limits', 'who is refused, how often, and what they do'],
    ['provision limits --clear 203.0.113.7', 'they may come in again at once'],
    ['provision limits --all --json | jq -r .clients[].client', 'for a script'],
  ]).addHelpText(
    'after',
    '\nWhat the limits are: haproxy_limit_* of the role haproxy. Exit codes: 0 done, 2 no balancer has counted such a client, 4 a balancer cannot be reached.',
  );
  return command.action(async () => {
    const flags = command.opts<LimitsFlags>();
    const { clear: client } = flags;
    const key = client === undefined ? undefined : clientKey(client);
    if (client !== undefined && key === undefined) {
      throw new UserError({
        message: `"${client}" is no client: expected an IPv4 address, or an IPv6 address or network of 64 bits`,
        hint: '`provision limits` names them',
      });
    }
    await withSite(inventoryOptions(command), async (site) => {
      if (client === undefined || key === undefined) await show(site, flags);
      else await clear(site, client, key, flags);
    });
  });
}

async function show({ limitsBalancers }: SiteSession, { all, json }: LimitsFlags): Promise<void> {
  const clients = mergeLimited(await Promise.all(limitsBalancers.map(async (one) => await one.limited())));
  const names = limitsBalancers.map(({ name }) => name);
  process.stdout.write(
    json ? `${JSON.stringify(limitsJson(names, clients))}\n` : limitsText(clients, all ?? false),
  );
}

async function clear(
  { limitsBalancers }: SiteSession,
  client: string,
  key: string,
  { json }: LimitsFlags,
): Promise<void> {
  const known = await Promise.all(limitsBalancers.map(async (one) => await one.clear(key)));
  const balancers = limitsBalancers.filter((_, index) => known[index]).map(({ name }) => name);
  if (json) process.stdout.write(`${JSON.stringify({ type: 'limits-clear', client, balancers })}\n`);
  else {
    process.stdout.write(
      balancers.length === 0
        ? `no balancer has counted ${client}\n`
        : `${client} begins anew on ${listed(balancers)}\n`,
    );
  }
  if (balancers.length === 0) process.exitCode = EXIT.failed;
}
