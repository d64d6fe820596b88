import { createInterface } from 'node:readline/promises';

import { Command, InvalidArgumentError } from 'commander';

import { drillJson } from '../../failover/drill/drill-json.ts';
import { runDrill } from '../../failover/drill/run-drill.ts';
import { SCENARIOS, type Scenario } from '../../failover/drill/scenarios.ts';
import { makeTool } from '../../failover/drill/tool.ts';
import { describe } from '../../failover/drill/writer.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { didYouMean } from '../../lib/similar.ts';
import type { CommandContext } from '../context.ts';
import { type DrillSite, drillSite } from './drill-site.ts';
import { addClusterOptions, addExamples, clusterChoice } from './options.ts';

interface DrillCommandOptions {
  readonly yes?: true;
  readonly json?: true;
  readonly rate: number;
}

/** `failover drill`: a game day. */
export function drillCommand(context: CommandContext): Command {
  const command = new Command('drill')
    .description('cause a fault on a lab or staging site, and report what it cost')
    .argument('[scenario]', 'what happens; without, the scenarios are listed');
  addClusterOptions(command)
    .option('-y, --yes', 'do not ask')
    .option('--rate <number>', 'rows that are written a second', parseRate, 200)
    .option('--json', 'one JSON object on stdout, text for people on stderr');
  addExamples(command, [
    ['failover drill', 'list the scenarios'],
    ['failover drill kill', 'kill the primary, and see who takes over, how fast, and that nothing is lost'],
  ]).addHelpText(
    'after',
    '\nIt refuses where the inventory says `understudy_production: true`.\nExit codes: 0 nothing was lost and the cluster is whole, 2 not so.',
  );
  return command.action(async (name: string | undefined) => {
    const options = command.opts<DrillCommandOptions>();
    const choice = clusterChoice(command);
    if (choice.description !== undefined)
      throw new UserError('a drill needs an inventory, since it works on the machines themselves');
    if (name === undefined) {
      list();
      return;
    }
    const scenario = SCENARIOS[name];
    if (!scenario) {
      const hint = didYouMean(name, Object.keys(SCENARIOS)) ?? '`failover drill` lists them';
      throw new UserError({ message: `there is no scenario "${name}"`, hint });
    }
    const site = await drillSite(choice.inventory, choice.extraVars, choice);
    try {
      if (site.cluster.production)
        throw new UserError({
          message: `${choice.inventory} is production (understudy_production), which is never drilled`,
          hint: 'drill a lab (`provision lab up`) or a staging inventory',
        });
      if (!options.yes) await confirm(scenario, choice.inventory, context.signal);
      await drill(site, scenario, options, process.argv.slice(3));
    } finally {
      await site.ground.close();
    }
  });
}

function list(): void {
  const width = Math.max(...Object.keys(SCENARIOS).map((name) => name.length));
  for (const { name, description, needsLab } of Object.values(SCENARIOS))
    process.stdout.write(`${name.padEnd(width)}  ${description}${needsLab ? ' (lab only)' : ''}\n`);
}

async function drill(
  site: DrillSite,
  scenario: Scenario,
  options: DrillCommandOptions,
  given: readonly string[],
): Promise<void> {
  const program = process.argv[1];
  if (program === undefined) throw new Error('the program does not know itself');
  const failover = makeTool([process.execPath, program], clusterOptions(given), process.cwd());
  const out = options.json ? process.stderr : process.stdout;
  const report = await runDrill({
    site,
    failover,
    scenario,
    perSecond: options.rate,
    report: (line) => void out.write(site.redact(`· ${line}\n`)),
  });
  const recovered =
    report.recoveredMs === undefined ? 'never' : `after ${(report.recoveredMs / 1000).toFixed(2)} s`;
  out.write(
    site.redact(
      [
        '',
        `${scenario.name}: ${report.from} → ${report.to}${report.by === 'nobody' ? '' : `, by ${report.by}`}`,
        `  accepted again  ${recovered}`,
        `  writes          ${describe(report.tally)}`,
        `  brought back    ${report.restored.join(', ') || 'by itself'}`,
        ...(report.violations.length === 0
          ? ['  nothing was lost, and the cluster is whole']
          : report.violations.map(({ invariant, message }) => `  ${invariant}: ${message}`)),
        '',
      ].join('\n'),
    ),
  );
  if (options.json)
    process.stdout.write(site.redact(`${JSON.stringify(drillJson(scenario.name, report))}\n`));
  if (report.violations.length > 0) process.exitCode = EXIT.failed;
}

/** What says which cluster it is, for the commands that are run on the way. */
function clusterOptions(given: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const [index, word] of given.entries()) {
    if (['-i', '--inventory', '--cluster', '--group', '-e', '--extra-vars'].includes(word))
      kept.push(word, given[index + 1] ?? '');
    else if (/^(--inventory=|--cluster=|--group=|--extra-vars=|-[ie]\S)/.test(word)) kept.push(word);
  }
  return kept;
}

async function confirm(scenario: Scenario, inventory: string, signal: AbortSignal): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UserError({
      message: 'a drill interrupts service, and without a terminal nobody can be asked',
      hint: 'add --yes',
    });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(
      `${scenario.name} on ${inventory}: ${scenario.description}. Go on? [y/N] `,
      { signal },
    );
    if (!/^y(es)?$/i.test(answer.trim())) throw new UserError('nothing was done');
  } finally {
    terminal.close();
  }
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (!(rate >= 1 && rate <= 2000)) throw new InvalidArgumentError('It is a number from 1 to 2000.');
  return rate;
}
