import { Command } from 'commander';

import { planPromote } from '../../failover/plan/promote.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { type Left, mayLeave, poolsOf } from '../../site/drain.ts';
import type { CommandContext } from '../context.ts';
import { change } from '../failover/change.ts';
import { operatorName, parseDuration } from '../failover/options.ts';
import type { Session } from '../failover/session.ts';
import { type DrainDowntime, drainDowntimes } from './drain-downtime.ts';
import { drainHost, isPrimary } from './drain-host.ts';
import { drainJson } from './drain-json.ts';
import { drainStatusJson, drainStatusText, leftText } from './drain-text.ts';
import { addExamples, addExtraVariables, addInventoryOptions, inventoryOptions } from './options.ts';
import { takeLock } from './run-lock.ts';
import { type SiteSession, type WholeSite, withSite, withWholeSite } from './site-session.ts';

interface DrainFlags {
  readonly status?: true;
  readonly timeout?: number;
  readonly reason?: string;
  readonly switchover?: true;
  readonly force?: true;
  readonly yes?: true;
  readonly json?: true;
}

const TIMEOUT_MS = 60_000;

/** `provision drain`: a server gets nothing new and finishes what it has, on every balancer, until `undrain`. */
export function drainCommand(context: CommandContext): Command {
  const command = new Command('drain')
    .description('take a server out of service: new requests go elsewhere, running ones finish')
    .argument('[host]', 'a server, or the instance that it carries');
  addExtraVariables(addInventoryOptions(command, { omit: 'limit' }))
    .option('--status', 'who is out, since when, by whom and why')
    .option('--reason <text>', 'why, for those who wonder')
    .option('--timeout <time>', 'how long running requests may take (default: 1m)', parseDuration)
    .option('--switchover', 'when it carries the primary, make another instance the primary first')
    .option('--force', 'also when no other server is in service')
    .option('-y, --yes', 'do not ask before a switchover')
    .option('--json', 'one JSON object on stdout, text for people on stderr');
  addExamples(command, [
    ['provision drain web2 --reason "new disk"', 'until `provision undrain web2`'],
    ['provision drain web1 --switchover --yes', 'the primary moves first'],
    ['provision drain --status', 'who is out'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 it is out and has nothing left to answer, 2 refused, or requests run still, 4 a balancer cannot be reached, 130 interrupted and put back.',
  );
  return command.action(async (word: string | undefined) => {
    const flags = command.opts<DrainFlags>();
    const choice = inventoryOptions(command);
    if (flags.status) {
      if (word !== undefined) throw new UserError('--status shows all servers; leave the host out');
      await withWholeSite(choice, async (site) => await showStatus(site, flags));
      return;
    }
    if (word === undefined)
      throw new UserError({ message: 'which server?', hint: 'provision drain web2, or --status' });
    await withSite(
      { ...choice, host: word },
      async (site) => await drainOne(site, word, flags, context.signal),
    );
  });
}

async function showStatus({ balancers, databases }: WholeSite, { json }: DrainFlags): Promise<void> {
  const redact = (text: string): string => databases.reduce((said, one) => one.redact(said), text);
  const [pools, downtimes] = await Promise.all([
    poolsOf(balancers),
    Promise.all(databases.map(async (database) => await downtimesOf(database))),
  ]);
  process.stdout.write(
    json
      ? `${JSON.stringify(drainStatusJson(pools, downtimes.flat()))}\n`
      : redact(drainStatusText(pools, downtimes.flat(), Date.now())),
  );
}

/** Who is out is known without the cluster's memory, too. */
async function downtimesOf(database: Session): Promise<readonly DrainDowntime[]> {
  try {
    return await drainDowntimes(database);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(
      database.redact(
        `warning: whom the watch leaves alone is not known: ${error.problems[0]?.message ?? ''}\n`,
      ),
    );
    return [];
  }
}

async function drainOne(
  site: SiteSession,
  word: string,
  flags: DrainFlags,
  signal: AbortSignal,
): Promise<void> {
  const { database, balancers } = site;
  const { host, instance } = site.find(word);
  const text = flags.json ? process.stderr : process.stdout;
  const lock = takeLock(database.directory, `provision drain ${host}`);
  try {
    const startedAt = performance.now();
    const evenTheLast = flags.force ?? false;
    // Before the primary is moved away for nothing.
    await mayLeave(balancers, host, { evenTheLast });
    if (instance !== undefined && !(await isFreeOfPrimary(site, instance.name, host, flags, signal))) return;
    const drained = { by: operatorName(), since: Date.now(), reason: flags.reason ?? 'no reason given' };
    const carried = instance === undefined ? [] : [{ database, instance }];
    const outcome = await drainHost(balancers, host, carried, drained, {
      timeoutMs: flags.timeout ?? TIMEOUT_MS,
      signal,
      evenTheLast,
      progress: (left: readonly Left[]) => {
        if (left.length > 0) text.write(`${host}: ${leftText(left)}\n`);
      },
    });
    const isDone = outcome.requests.length === 0;
    if (flags.json) {
      process.stdout.write(`${JSON.stringify(drainJson(host, outcome, performance.now() - startedAt))}\n`);
    }
    const since = outcome.before === undefined ? '' : ` (it was already, by ${outcome.before.by})`;
    text.write(
      isDone
        ? `${host} is out of service${since}: nothing is left to answer. \`provision undrain ${host}\` puts it back\n`
        : `${host} gets nothing new${since}, and ${leftText(outcome.requests)} still\n`,
    );
    if (outcome.reads.length > 0) text.write(`${leftText(outcome.reads)}: they end when its database does\n`);
    if (!isDone) process.exitCode = EXIT.failed;
  } catch (error) {
    // What could not be put back is no mere interruption.
    if (signal.aborted && !(error instanceof UserError)) {
      process.stderr.write(`${host}: interrupted, and put back\n`);
      process.exitCode = EXIT.interrupted;
      return;
    }
    throw error;
  } finally {
    lock.release();
  }
}

/** Whether the host carries no primary, any more at least. */
async function isFreeOfPrimary(
  { database }: SiteSession,
  instance: string,
  host: string,
  flags: DrainFlags,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(await isPrimary(database, instance))) return true;
  if (!flags.switchover) {
    throw new UserError(
      {
        message: `${host} carries ${instance}, which is the primary`,
        hint: '--switchover makes another instance the primary first',
      },
      { exitCode: EXIT.failed },
    );
  }
  const { settings } = database.cluster;
  await change(database, (topology, accepts) => planPromote(topology, { accepts }, settings), {
    yes: flags.yes ?? false,
    dryRun: false,
    json: flags.json ?? false,
    reason: `${host} is drained`,
    purpose: `promote another instance than ${instance}`,
    signal,
  });
  return process.exitCode === undefined || process.exitCode === EXIT.ok;
}
