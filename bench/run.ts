// Side by side with the rivals, whole processes, in one run. What the figures mean is in docs/benchmarks.md.
import { join } from 'node:path';

import { down, reset, up } from '../src/lab/lab.ts';
import { prepareAnsible, type Ansible } from './ansible.ts';
import { benchFailover, FAILOVER_PARTS } from './failover.ts';
import { describe, measure, median, repeat, type Measured } from './measure.ts';
import { benchOptions } from './options.ts';
import { benchOrchestrator } from './orchestrator.ts';
import { benchRoll } from './roll.ts';
import { benchTopology } from './topology.ts';

const ROOT = join(import.meta.dirname, '..');
const options = benchOptions(process.argv.slice(2));
const NAME = options.name;
const RUNS = options.runs ?? 5;
/** A failover differs more from the next one than a run of a playbook does. */
const FAILOVERS = options.runs ?? 20;
const INVENTORY = `inventory/${NAME}`;
const SERVERS = ['web1', 'web2', 'web3'];
const TARGETS = ['lb1', 'lb2', ...SERVERS];
const { parts } = options;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const provision = (...args: readonly string[]): readonly string[] => [
  process.execPath,
  join(ROOT, 'dist/bin/provision.js'),
  ...args,
  '-i',
  INVENTORY,
];

// What users install, which differs from the source in nothing but the time it takes to load.
succeed(await measure([process.execPath, join(ROOT, 'scripts/build.ts')], { cwd: ROOT }), 'building');
if (parts.includes('analyse')) await benchTopology(100, FAILOVERS, say);
const onLab = parts.filter((part) => part !== 'analyse');
if (onLab.length === 0) process.exit();
const lab = await up({ name: NAME, report: (step) => say(`  lab: ${step}`) });
try {
  if (parts.includes('bare')) await bareToSite();
  else succeed(await measure(provision('up'), { cwd: ROOT }), 'provisioning the site');
  if (parts.includes('site') || parts.includes('tasks')) {
    const ansible = await prepareAnsible(lab, ROOT, TARGETS);
    if (parts.includes('site')) await siteUnchanged(ansible);
    if (parts.includes('tasks')) await fortyThreeTasks(ansible);
  }
  if (parts.includes('roll')) {
    const ansible = await prepareAnsible(lab, ROOT, TARGETS);
    await benchRoll({ lab: NAME, runs: RUNS, ansible, provision, say });
  }
  const failovers = FAILOVER_PARTS.filter((part) => parts.includes(part));
  if (failovers.length > 0) {
    await benchFailover({
      inventory: INVENTORY,
      parts: failovers,
      runs: FAILOVERS,
      program: [process.execPath, join(ROOT, 'dist/bin/failover.js')],
      say,
    });
  }
  if (parts.includes('orchestrator') && options.orchestrator !== undefined) {
    await benchOrchestrator({
      inventory: INVENTORY,
      runs: FAILOVERS,
      program: [process.execPath, join(ROOT, 'dist/bin/failover.js')],
      binary: options.orchestrator,
      say,
    });
  }
} finally {
  if (!options.keep) await down({ name: NAME });
}

/** From bare hosts to the site, against a shell script that installs the same packages in parallel. */
async function bareToSite(): Promise<void> {
  say('\nFrom bare hosts to the site (packages cached)');
  const fromBare = async (argv: readonly string[], what: string): Promise<Measured> => {
    await reset({ name: NAME });
    return succeed(await measure(argv, { cwd: ROOT }), what);
  };
  // Once to fill the cache.
  await fromBare(provision('up'), 'provisioning the site');
  const scripts: Measured[] = [];
  const ours: Measured[] = [];
  for (let run = 0; run < Math.min(RUNS, 3); run++) {
    scripts.push(
      await fromBare(['sh', join(ROOT, 'bench/site.sh'), join(ROOT, INVENTORY)], 'the shell script'),
    );
    ours.push(await fromBare(provision('up', '--json'), 'provisioning the site'));
  }
  rivalRow('shell script, in parallel', scripts);
  row('provision up', ours);
  const ratioToScript = median(ours.map((run) => run.ms)) / median(scripts.map((run) => run.ms));
  say(`  ratio to the script: ${ratioToScript.toFixed(2)} (aim: at most 1.25)`);
  say('  where the time goes, in the last run:');
  for (const [task, ms] of slowestTasks(ours.at(-1)?.output ?? ''))
    say(`    ${(ms / 1000).toFixed(1).padStart(6)} s  ${task}`);
}

async function siteUnchanged(ansible: Ansible): Promise<void> {
  say('\nsite.yml with nothing to change');
  const ours = await repeat(RUNS, provision('up'), { cwd: ROOT });
  // Ansible's first run may bring facts caches and the like; the second one counts.
  await ansible.run('playbooks/site.yml');
  const theirs = succeed(await ansible.run('playbooks/site.yml'), 'ansible-playbook');
  rivalRow('ansible-core, pipelining', [theirs]);
  row('provision up', ours);
  ratio(theirs, ours, 50);
}

async function fortyThreeTasks(ansible: Ansible): Promise<void> {
  say('\n43 tasks on 3 hosts with nothing to change');
  const playbook = 'bench/43-tasks.yml';
  succeed(await measure(provision('run', playbook), { cwd: ROOT }), 'the first run');
  const ours = await repeat(RUNS, provision('run', playbook), { cwd: ROOT });
  const plain = succeed(await ansible.run(playbook), 'ansible-playbook');
  const mitogen = succeed(await ansible.run(playbook, { mitogen: true }), 'ansible-playbook with Mitogen');
  rivalRow('ansible-core, pipelining', [plain]);
  rivalRow('ansible-core, Mitogen', [mitogen]);
  row('provision run', ours);
  ratio(plain, ours, undefined);
  ratio(mitogen, ours, 15);
}

function row(name: string, runs: readonly Measured[]): void {
  const peak = Math.max(...runs.map((run) => run.peakKiB));
  say(`  ${name.padEnd(28)} ${describe(runs).padEnd(32)} peak ${(peak / 1024).toFixed(0)} MiB`);
}

/** A rival's processes are below others, on other hosts too: their memory is not measured. */
function rivalRow(name: string, runs: readonly Measured[]): void {
  say(`  ${name.padEnd(28)} ${describe(runs)}`);
}

function ratio(theirs: Measured, ours: readonly Measured[], aim: number | undefined): void {
  const times = theirs.ms / median(ours.map((run) => run.ms));
  say(`  ${times.toFixed(1)} times faster${aim === undefined ? '' : ` (aim: ${aim})`}`);
}

function succeed(measured: Measured, what: string): Measured {
  if (measured.status !== 0)
    throw new Error(`${what} ended with ${measured.status}\n${measured.output.slice(-4000)}`);
  return measured;
}

/** Tasks by the time of their slowest host, the longest first. */
function slowestTasks(output: string): readonly (readonly [string, number])[] {
  const times = new Map<string, number>();
  for (const line of output.split('\n')) {
    if (!line.startsWith('{"type":"result"')) continue;
    const { task, ms } = JSON.parse(line) as { task: string; ms: number };
    times.set(task, Math.max(times.get(task) ?? 0, ms));
  }
  return [...times].sort(([, one], [, other]) => other - one).slice(0, 15);
}
