// Random faults on a lab under a checked writer: npm run chaos -- --help
import { join } from 'node:path';

import { chaosOptions, HELP, type ChaosOptions } from './chaos/options.ts';
import { randomFrom, type Random } from './chaos/random.ts';
import { keepEvidence, say, summary } from './chaos/report.ts';
import { makeRound, ROUND_NAMES } from './chaos/rounds.ts';
import { type DrillSite, drillSite } from '../src/commands/failover/drill-site.ts';
import { exercise, type ExerciseReport } from '../src/failover/drill/exercise.ts';
import { primaryName } from '../src/failover/drill/look.ts';
import { restore } from '../src/failover/drill/restore.ts';
import { makeTool, type Tool } from '../src/failover/drill/tool.ts';
import { describe, makeTable } from '../src/failover/drill/writer.ts';
import { down, up } from '../src/lab/lab.ts';
import { UserError } from '../src/lib/errors.ts';
import { buildBundles, ensureNode, ROOT, runCommand } from './common.ts';

ensureNode();

const PER_SECOND = 90;

try {
  const options = chaosOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(HELP);
  else await main(options);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  // Connections to the lab may be open.
  process.exit(error.exitCode);
}

async function main(options: ChaosOptions): Promise<void> {
  const { name, seed, flavour } = options;
  const inventory = join(ROOT, 'inventory', name);
  const extra = flavour === 'mariadb' ? ['-e', 'mysql_flavour=mariadb'] : [];
  const random = randomFrom(seed);
  say(
    `chaos on ${flavour}: seed ${seed}, ${options.minutes} minutes, lab ${name}, rounds ${options.only.length === ROUND_NAMES.length ? 'of all kinds' : options.only.join(', ')}`,
  );
  const broken = await buildBundles();
  if (broken.length > 0) throw new Error(`${broken.join(' and ')} failed`);
  if (!options.provisioned) {
    await up({ name, servers: options.instances, report: (step) => say(`lab: ${step}`) });
    const provision = [process.execPath, join(ROOT, 'src/bin/provision.ts')];
    const status = await runCommand([...provision, 'up', '-i', inventory, '--yes', ...extra]);
    if (status !== 0) throw new Error(`provision up ended with ${status}`);
  }
  const variables = new Map(flavour === 'mariadb' ? [['mysql_flavour', 'mariadb']] : []);
  const site = await drillSite(inventory, variables);
  const failover = makeTool(
    [process.execPath, join(ROOT, 'src/bin/failover.ts')],
    ['-i', inventory, ...extra],
    ROOT,
  );
  await failover('resume');
  const rounds: { readonly kind: string; readonly report: ExerciseReport }[] = [];
  const until = Date.now() + options.minutes * 60_000;
  let failed = false;
  const interrupted = new AbortController();
  process.once('SIGINT', () => {
    interrupted.abort();
    say('interrupted: this round is ended and restored');
  });
  while (Date.now() < until && !interrupted.signal.aborted) {
    const number = rounds.length + 1;
    const outcome = await playRound(site, failover, random, number, options.only);
    if ('error' in outcome) {
      failed = true;
      await keepEvidence(site, failover, options, number, outcome.kind, [outcome.error]);
      break;
    }
    rounds.push(outcome);
    if (outcome.report.violations.length > 0) {
      failed = true;
      const messages = outcome.report.violations.map(({ invariant, message }) => `${invariant}: ${message}`);
      await keepEvidence(site, failover, options, number, outcome.kind, messages);
      break;
    }
  }
  summary(options, rounds, failed);
  await site.ground.close();
  if (!failed && !options.keep && !options.provisioned) await down({ name });
  process.exit(failed ? 1 : 0);
}

type Played =
  | { readonly kind: string; readonly report: ExerciseReport }
  | { readonly kind: string; readonly error: string };

async function playRound(
  site: DrillSite,
  failover: Tool,
  random: Random,
  number: number,
  only: ChaosOptions['only'],
): Promise<Played> {
  let kind = 'preparing';
  const actions: string[] = [];
  // Whatever the watch does by itself it may do: it gets time for it before an operator comes.
  const bringBack = async (): Promise<void> => {
    actions.push(...(await restore(site, failover, { patienceMs: 15_000 })).actions);
  };
  try {
    // A round's rows are of no use to the next one.
    await makeTable(site);
    const primary = await primaryName(site);
    const round = makeRound(site, failover, primary, random, only);
    kind = round.kind;
    await round.prepare?.();
    await failover('ack');
    const report = await exercise(site, {
      perSecond: PER_SECOND,
      // One on each app server: those on a host that dies die with it, and the others go on.
      writerHosts: site.instances.map((spec) => spec.host),
      calmMs: random.between(500, 2500),
      changes: round.changes,
      limitMs: 90_000,
      convergeMs: 60_000,
      act: async (stage) => {
        await round.act(stage);
        if (round.mayStandStill === true) await round.heal();
      },
      restore: async () => {
        await round.heal();
        await site.ground.lab?.heal();
        await bringBack();
        if (round.restore) {
          await round.restore();
          await bringBack();
        }
      },
    });
    const text = `${String(number).padStart(4)} ${kind.padEnd(44)} ${report.from}→${report.to} ${describe(report.tally)}`;
    say(`${text}${actions.length === 0 ? '' : `; ${actions.map((one) => one.split('\n')[0]).join('; ')}`}`);
    return { kind, report };
  } catch (error) {
    return { kind, error: `${(error as Error).stack ?? String(error)}\nrestoring: ${actions.join('\n')}` };
  }
}
