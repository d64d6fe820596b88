import { Command } from 'commander';

import { EXIT, UserError } from '../../lib/errors.ts';
import { didYouMean } from '../../lib/similar.ts';
import { listed } from '../../lib/listed.ts';
import type { AddressBalancer } from '../../site/address.ts';
import { heldBy } from '../../site/address-status.ts';
import { handOver } from '../../site/hand-over.ts';
import type { CommandContext } from '../context.ts';
import { parseDuration } from '../failover/options.ts';
import { confirm } from './confirm.ts';
import { handoverJson, handoverStatusJson } from './handover-json.ts';
import { addressesText, connectionsText } from './handover-text.ts';
import { addExamples, addExtraVariables, addInventoryOptions, inventoryOptions } from './options.ts';
import { takeLock } from './run-lock.ts';
import { type SiteSession, withSite } from './site-session.ts';

interface HandoverFlags {
  readonly status?: true;
  readonly stay?: true;
  readonly timeout?: number;
  readonly yes?: true;
  readonly json?: true;
}

const TIMEOUT_MS = 60_000;

/** `provision handover`: a balancer gives the site's addresses to the other one, and no connection breaks. */
export function handoverCommand(context: CommandContext): Command {
  const command = new Command('handover')
    .description("move the site's addresses away from a balancer, without breaking a connection")
    .argument('[balancer]', 'the one that leaves');
  addExtraVariables(addInventoryOptions(command, { omit: 'limit' }))
    .option('--status', 'who holds which address, and who finishes connections')
    .option('--stay', 'the balancer may hold addresses again')
    .option('--timeout <time>', 'how long open connections may take (default: 1m)', parseDuration)
    .option('-y, --yes', 'do not ask')
    .option('--json', 'one JSON object on stdout, text for people on stderr');
  addExamples(command, [
    ['provision handover lb1', 'until `--stay`, or until lb1 is rebooted'],
    ['provision handover lb1 --yes --timeout 10m', 'long downloads are waited for'],
    ['provision handover lb1 --stay', 'after the work'],
    ['provision handover --status', 'who holds what'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 it holds nothing and has no connection left, 2 refused, or connections are open still, 4 a balancer cannot be reached, 130 interrupted.',
  );
  return command.action(async (name: string | undefined) => {
    const flags = command.opts<HandoverFlags>();
    if ((flags.status ?? false) === (name !== undefined))
      throw new UserError({ message: 'which balancer?', hint: 'provision handover lb1, or --status alone' });
    await withSite(inventoryOptions(command), async (site) => {
      if (name === undefined) await showStatus(site, flags);
      else if (flags.stay) await stay(site, name, flags);
      else await handOne(site, name, flags, context.signal);
    });
  });
}

async function showStatus({ addressBalancers }: SiteSession, { json }: HandoverFlags): Promise<void> {
  const balancers = await Promise.all(addressBalancers.map(async (one) => await one.addresses()));
  process.stdout.write(
    json ? `${JSON.stringify(handoverStatusJson(balancers))}\n` : addressesText(balancers),
  );
}

async function stay({ addressBalancers }: SiteSession, name: string, { json }: HandoverFlags): Promise<void> {
  await find(addressBalancers, name).stay();
  if (json) process.stdout.write(`${JSON.stringify({ type: 'handover-stay', balancer: name })}\n`);
  else process.stdout.write(`${name} may hold the site's addresses again\n`);
}

async function handOne(
  { addressBalancers, database }: SiteSession,
  name: string,
  flags: HandoverFlags,
  signal: AbortSignal,
): Promise<void> {
  const from = find(addressBalancers, name);
  const [to, third] = addressBalancers.filter((one) => one !== from);
  if (to === undefined || third !== undefined) {
    throw new UserError(
      {
        message: `a hand-over needs two balancers; the inventory has ${addressBalancers.length}`,
        hint: 'without another one, nobody can take the addresses; of several, keepalived chooses one',
      },
      { exitCode: EXIT.failed },
    );
  }
  const held = heldBy(await from.addresses());
  const what = held.length === 0 ? 'nothing' : listed(held);
  if (!flags.yes) await confirm(`${name} holds ${what}. Hand it over to ${to.name}?`, signal);
  const lock = takeLock(database.directory, `provision handover ${name}`);
  try {
    const outcome = await handOver(from, to, { timeoutMs: flags.timeout ?? TIMEOUT_MS, signal });
    const { moved, left } = outcome;
    if (flags.json) process.stdout.write(`${JSON.stringify(handoverJson(name, to.name, outcome))}\n`);
    (flags.json ? process.stderr : process.stdout).write(
      `${moved.length === 0 ? `${name} held nothing` : `${to.name} holds ${listed(moved)}`}, and ${connectionsText(left)} at ${name}. \`provision handover ${name} --stay\` after the work\n`,
    );
    if (left > 0) process.exitCode = EXIT.failed;
  } finally {
    lock.release();
  }
}

function find(balancers: readonly AddressBalancer[], name: string): AddressBalancer {
  const found = balancers.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = balancers.map((one) => one.name);
  throw new UserError({
    message: `there is no balancer "${name}"`,
    hint: didYouMean(name, names) ?? `there are ${names.join(', ')}`,
  });
}
