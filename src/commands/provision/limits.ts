import { Command } from 'commander';

import { EXIT, UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import {
  clientKey,
  type LimitedClient,
  type LimitsBalancer,
  limitsBalancer,
  mergeLimited,
} from '../../site/limits.ts';
import type { CommandContext } from '../context.ts';
import { limitsJson } from './limits-json.ts';
import { limitsText } from './limits-text.ts';
import { type HostOutcome, onBalancers } from './on-hosts.ts';
import { addExamples, addExtraVariables, addInventoryOptions, inventoryOptions } from './options.ts';

interface LimitsFlags {
  readonly all?: true;
  readonly clear?: string;
  readonly json?: true;
}

/** `provision limits`: which clients the balancers refuse, by which limit; and letting one of them go. */
export function limitsCommand(context: CommandContext): Command {
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
    const ask = async <T>(work: (balancer: LimitsBalancer) => Promise<T>): Promise<readonly Said<T>[]> =>
      answers(
        await onBalancers(
          { ...inventoryOptions(command), signal: context.signal },
          async (name, open) => await work(limitsBalancer(name, open)),
        ),
      );
    if (client === undefined || key === undefined) show(await ask((one) => one.limited()), flags);
    else cleared(await ask((one) => one.clear(key)), client, flags);
  });
}

/** What one balancer has said. */
interface Said<T> {
  readonly name: string;
  readonly value: T;
}

/** Those who answered; of the others, why not. */
function answers<T>(outcomes: readonly HostOutcome<T>[]): readonly Said<T>[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.status === 'done') return [{ name: outcome.host, value: outcome.value }];
    process.stderr.write(`${outcome.error.message}\n`);
    process.exitCode = EXIT.unreachable;
    return [];
  });
}

function show(said: readonly Said<readonly LimitedClient[]>[], { all, json }: LimitsFlags): void {
  if (said.length === 0) return;
  const clients = mergeLimited(said.map(({ value }) => value));
  const names = said.map(({ name }) => name);
  process.stdout.write(
    json ? `${JSON.stringify(limitsJson(names, clients))}\n` : limitsText(clients, all ?? false),
  );
}

function cleared(said: readonly Said<boolean>[], client: string, { json }: LimitsFlags): void {
  if (said.length === 0) return;
  const balancers = said.filter(({ value }) => value).map(({ name }) => name);
  if (json) process.stdout.write(`${JSON.stringify({ type: 'limits-clear', client, balancers })}\n`);
  else {
    process.stdout.write(
      balancers.length === 0
        ? `no balancer has counted ${client}\n`
        : `${client} begins anew on ${listed(balancers)}\n`,
    );
  }
  if (balancers.length === 0) process.exitCode ??= EXIT.failed;
}
