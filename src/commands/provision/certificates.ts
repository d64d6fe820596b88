import { Command } from 'commander';

import { EXIT, UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import { type BalancerProgram, callProgram } from '../../site/balancer-program.ts';
import { type CertificateStatus, parseCertificateStatus } from '../../site/certificate-status.ts';
import type { CommandContext } from '../context.ts';
import { type CertificateAnswer, certificatesJson, type CertificatesShown } from './certificates-json.ts';
import { certificatesText } from './certificates-text.ts';
import { type HostOutcome, onBalancers } from './on-hosts.ts';
import {
  addExamples,
  addExtraVariables,
  addInventoryOptions,
  type InventoryOptions,
  inventoryOptions,
} from './options.ts';

interface CertificatesFlags {
  readonly force?: true;
  readonly json?: true;
}

const PROGRAM: BalancerProgram = {
  path: '/usr/local/sbin/site-certificates',
  name: 'site-certificates',
  role: 'certificates',
  units: ['site-certificates', 'haproxy'],
};
const STATUS_MS = 15_000;
/** As long as the unit that orders may take. */
const RENEW_MS = 660_000;

const EXIT_CODES =
  '\nExit codes: 0 all is well, 2 a renewal failed, 3 something is wrong with a certificate, 4 a balancer cannot be reached.';

/** `provision certificates`: the site's certificate on every balancer, and a new one. */
export function certificatesCommand(context: CommandContext): Command {
  const command = new Command('certificates').description(
    "show the site's certificate on every balancer, and what is wrong with it",
  );
  addExtraVariables(addInventoryOptions(command, { omit: 'limit' })).option(
    '--json',
    'one JSON object on stdout, text for people on stderr',
  );
  addExamples(command, [
    ['provision certificates', 'names, issuer, days left, and the last attempt'],
    ['provision certificates renew', 'ask the authority now, and renew what is due'],
    ["provision certificates --json | jq '.balancers[].daysLeft'", 'for a script'],
  ]).addHelpText('after', EXIT_CODES);
  command.action(async () => {
    const outcomes = await each(inventoryOptions(command), context.signal, status);
    const answers = answersOf(outcomes, (value) => value);
    show(certificatesJson(answers, Date.now()), command.opts<CertificatesFlags>());
  });

  // Its other options are those of the command above it, wherever they stand.
  const renew = command
    .command('renew')
    .description('ask the authority for new certificates where they are due')
    .argument('[balancer]', 'only this one')
    .option('--force', 'also when none is due; authorities allow a few a week')
    .configureHelp({ showGlobalOptions: true });
  addExamples(renew, [
    ['provision certificates renew', 'after something was repaired'],
    ['provision certificates renew lb2 --force', 'a new one for lb2, whatever the time'],
  ]).addHelpText('after', EXIT_CODES);
  renew.action(async (name: string | undefined) => {
    const flags = renew.optsWithGlobals<CertificatesFlags>();
    const outcomes = await each(
      inventoryOptions(command),
      context.signal,
      async (call, balancer) => await renewal(call, balancer, flags.force ?? false),
      name,
    );
    const done = outcomes.flatMap((one) => (one.status === 'done' ? [{ host: one.host, ...one.value }] : []));
    const renewed = done.filter(({ isNew }) => isNew).map(({ host }) => host);
    const failures = done.flatMap(({ failure }) => (failure === undefined ? [] : [failure.message]));
    for (const failure of failures) process.stderr.write(`${failure}\n`);
    const answers = answersOf(outcomes, (value) => value.status);
    show(certificatesJson(answers, Date.now(), renewed), flags);
    (flags.json ? process.stderr : process.stdout).write(
      renewed.length === 0
        ? 'nothing was renewed\n'
        : `${listed(renewed)} ${renewed.length === 1 ? 'has' : 'have'} a new certificate\n`,
    );
    if (failures.length > 0) process.exitCode = EXIT.failed;
  });
  return command;
}

/** Runs the program on one balancer. */
type Call = (argv: readonly string[], timeoutMs: number) => Promise<string>;

/** Does the work on the balancers, at the same time, over one connection each. */
async function each<T>(
  options: InventoryOptions,
  signal: AbortSignal,
  work: (call: Call, balancer: string) => Promise<T>,
  only?: string,
): Promise<readonly HostOutcome<T>[]> {
  return await onBalancers(
    { ...options, signal },
    async (name, open) =>
      await work(
        async (argv, timeoutMs) => await callProgram(name, open, PROGRAM, argv, { timeoutMs, signal }),
        name,
      ),
    only,
  );
}

async function status(call: Call, balancer: string): Promise<CertificateStatus> {
  return parseCertificateStatus(balancer, await call(['status'], STATUS_MS));
}

/** What became of a renewal, and what there is after it. */
interface Renewal {
  readonly isNew: boolean;
  readonly failure: UserError | undefined;
  readonly status: CertificateStatus;
}

async function renewal(call: Call, balancer: string, force: boolean): Promise<Renewal> {
  let said = '';
  let failure: UserError | undefined;
  try {
    said = await call(force ? ['renew', 'force'] : ['renew'], RENEW_MS);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    failure = error;
  }
  return { isNew: said !== '', failure, status: await status(call, balancer) };
}

/** What there is to show of each balancer, with why there is nothing. */
function answersOf<T>(
  outcomes: readonly HostOutcome<T>[],
  statusOf: (value: T) => CertificateStatus,
): readonly CertificateAnswer[] {
  return outcomes.map((outcome) =>
    outcome.status === 'failed'
      ? { name: outcome.host, trouble: outcome.error.message }
      : { name: outcome.host, status: statusOf(outcome.value) },
  );
}

function show(shown: CertificatesShown, { json }: CertificatesFlags): void {
  process.stdout.write(json ? `${JSON.stringify(shown)}\n` : certificatesText(shown));
  if (shown.balancers.some(({ trouble }) => trouble !== undefined)) process.exitCode = EXIT.unreachable;
  else if (shown.balancers.some(({ problems = [] }) => problems.length > 0)) process.exitCode = EXIT.drift;
}
