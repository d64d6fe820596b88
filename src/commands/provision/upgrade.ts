import { Command, InvalidArgumentError } from 'commander';

import { EXIT } from '../../lib/errors.ts';
import type { Dict, Value } from '../../lib/value.ts';
import { hasWork, type UpgradeWish } from '../../upgrade/host-work.ts';
import type { CommandContext } from '../context.ts';
import { maintenanceChoice, maintenancePlaybook, maintenanceVariables } from './maintenance.ts';
import { addExamples } from './options.ts';
import { rollWith } from './roll-command.ts';
import { addRollOptions, type RollOptions, rollOptions } from './roll-options.ts';
import { readStates, type SurveyChoice, type SurveyedHost, surveyUpgrade } from './upgrade-survey.ts';
import { upgradePlan, upgradePlanText, upgradeResult, upgradeResultText } from './upgrade-text.ts';

interface UpgradeFlags {
  readonly packages?: readonly string[];
  readonly securityOnly?: true;
  readonly rebootIfNeeded?: true;
}

/** What was found and judged counts for all hosts: lists that are this young, in seconds, are not fetched again. */
const LISTS_MAX_AGE = 86_400;
/** How long the hosts may take to say what has changed. */
const REPORT_TIMEOUT_MS = 60_000;

/** `provision upgrade`: newer packages on every host that has any to get, each out of service meanwhile. */
export function upgradeCommand(context: CommandContext): Command {
  const command = new Command('upgrade').description(
    'upgrade packages on one host after the other, each out of service meanwhile',
  );
  addRollOptions(command)
    .option('--packages <names>', 'only these, separated by commas', parseNames)
    .option('--security-only', 'only packages that have a newer version in a suite for security')
    .option('--reboot-if-needed', 'boot a host again when something asks for it, as a new kernel does');
  addExamples(command, [
    ['provision upgrade --dry-run', 'which package on which host, from which version to which'],
    ['provision upgrade --yes --reboot-if-needed', 'everything, and new kernels run'],
    ['provision upgrade --security-only --hosts servers', 'what is urgent, on some hosts'],
    ['provision upgrade --packages haproxy,nginx', 'two packages'],
  ]).addHelpText(
    'after',
    '\nThe lists of packages are fetched on all hosts first, also with --dry-run. A host that has nothing to get stays in service.\n' +
      '\nExit codes: 0 all is up to date, 2 refused, or a host is not well and the roll has stopped, 4 a host cannot be reached, 130 interrupted when the host that was worked on was done.',
  );
  return command.action(async () => {
    const flags = command.opts<UpgradeFlags>();
    const wish = {
      packages: flags.packages,
      securityOnly: flags.securityOnly ?? false,
      rebootIfNeeded: flags.rebootIfNeeded ?? false,
    };
    try {
      await upgrade(wish, rollOptions(command), context);
    } catch (error) {
      // Looking alone is ended by Ctrl-C at once.
      if (!context.signal.aborted || error !== context.signal.reason) throw error;
      process.exitCode = EXIT.interrupted;
    }
  });
}

async function upgrade(wish: UpgradeWish, options: RollOptions, context: CommandContext): Promise<void> {
  const choice = maintenanceChoice(options, context.signal);
  const surveyed = await surveyUpgrade(choice, wish);
  const busy = [...surveyed.values()].filter(({ state, work }) => hasWork(work, state, wish));
  const plan = upgradePlan([...surveyed.values()].map(({ work }) => work));
  const text = options.json ? process.stderr : process.stdout;
  text.write(upgradePlanText(plan, wish.rebootIfNeeded));
  if (options.json) process.stdout.write(`${JSON.stringify(plan)}\n`);
  // A roll that was cut off knows its hosts: one of them may be out of service with nothing left to upgrade.
  if (busy.length === 0 && !options.resume) {
    text.write('nothing is to be done\n');
    return;
  }
  const hosts = options.resume ? choice.hosts : busy.map(({ work }) => work.host);
  try {
    await rollWith(
      {
        purpose: purposeOf(wish),
        playbook: maintenancePlaybook('upgrade'),
        variables: variablesOf(wish, surveyed),
        hosts: hosts.join(','),
      },
      options,
      context,
    );
  } finally {
    if (!options.dryRun) await report({ ...choice, hosts }, surveyed, options.json);
  }
}

/** Says what has become of the hosts, however far the roll came. */
async function report(
  choice: SurveyChoice,
  surveyed: ReadonlyMap<string, SurveyedHost>,
  json: boolean,
): Promise<void> {
  const { states, problems } = await readStates({
    ...choice,
    signal: AbortSignal.timeout(REPORT_TIMEOUT_MS),
  });
  const before = new Map([...surveyed].map(([host, { state }]) => [host, state]));
  const result = upgradeResult(before, states);
  const text = json ? process.stderr : process.stdout;
  text.write(upgradeResultText(result));
  for (const { message } of problems)
    process.stderr.write(`what was upgraded is not known there: ${message}\n`);
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
}

/** As it is typed: who resumes it must ask for the same. */
function purposeOf({ packages, securityOnly, rebootIfNeeded }: UpgradeWish): string {
  return [
    'upgrade',
    ...(packages === undefined ? [] : [`--packages ${packages.join(',')}`]),
    ...(securityOnly ? ['--security-only'] : []),
    ...(rebootIfNeeded ? ['--reboot-if-needed'] : []),
  ].join(' ');
}

function variablesOf(wish: UpgradeWish, surveyed: ReadonlyMap<string, SurveyedHost>): Dict {
  const isEverything = wish.packages === undefined && !wish.securityOnly;
  const names = new Map<Value, Value>(
    [...surveyed].map(([host, { work }]) => [
      host,
      // What is new comes as a dependency, and is no more wanted for itself than before.
      work.packages.filter(({ from }) => from !== undefined).map(({ name }) => name),
    ]),
  );
  return maintenanceVariables([
    ['upgrade_reboot_if_needed', wish.rebootIfNeeded],
    ['upgrade_lists_max_age', LISTS_MAX_AGE],
    ...(isEverything ? [] : [['upgrade_packages', names] as const]),
  ]);
}

function parseNames(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !/^[a-z0-9][a-z0-9+.-]*(:[a-z0-9-]+)?$/.test(name));
  if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is no name of a package.`);
  return names;
}
