import { UserError } from '../../lib/errors.ts';
import { exercise, type ExerciseReport } from './exercise.ts';
import type { Site } from './ground.ts';
import { convergence } from './invariants.ts';
import { primaryName } from './look.ts';
import { restore } from './restore.ts';
import { hasWatch, type Scenario, type ScenarioContext, writerHost } from './scenarios.ts';
import type { Tool } from './tool.ts';
import { dropTable, makeTable } from './writer.ts';

export interface DrillOptions {
  readonly site: Site;
  readonly failover: Tool;
  readonly scenario: Scenario;
  readonly perSecond: number;
  readonly report: (line: string) => void;
}

export interface DrillReport extends ExerciseReport {
  /** Who recovered. */
  readonly by: 'watch' | 'promote' | 'nobody';
  /** What was needed afterwards to bring the cluster back. */
  readonly restored: readonly string[];
}

/** Runs one scenario from a healthy cluster to a healthy cluster. */
export async function runDrill({
  site,
  failover,
  scenario,
  perSecond,
  report,
}: DrillOptions): Promise<DrillReport> {
  if (scenario.needsLab && !site.ground.lab)
    throw new UserError({
      message: `the scenario ${scenario.name} needs a lab: ${scenario.description}`,
      hint: '`failover drill` without a name lists those that real machines can do',
    });
  const before = await convergence(site, { withinMs: 5000 });
  if (before.violations.length > 0)
    throw new UserError({
      message: `the cluster is not whole, and a drill begins with a whole one:\n${before.violations.map(({ message }) => `  ${message}`).join('\n')}`,
      hint: '`failover status` says what to do about it',
    });
  const watched = await hasWatch(site);
  const first = await primaryName(site);
  const names = site.instances.map((spec) => spec.name);
  const after = (name: string, step: number): string =>
    names[(names.indexOf(name) + step) % names.length] ?? name;
  // With a disk of its own a replica is prepared to be the primary that the fault meets.
  const target = scenario.prepare ? after(first, 1) : first;
  const context: ScenarioContext = {
    site,
    failover,
    target,
    next: after(target, 1),
    other: after(target, 2),
  };
  await makeTable(site);
  if (scenario.prepare) {
    report(`prepare ${scenario.name} on ${target}`);
    await scenario.prepare(context);
  }
  const by = scenario.needsRecovery ? (watched ? 'watch' : 'promote') : 'nobody';
  let restored: readonly string[] = [];
  report(`write ${perSecond} rows a second from ${writerHost(context)}`);
  if (scenario.needsRecovery && watched) await failover('ack');
  const found = await exercise(site, {
    perSecond,
    writerHosts: [writerHost(context)],
    changes: scenario.changes,
    calmMs: 2000,
    act: async (stage) => {
      report(`${scenario.name}: ${scenario.description}`);
      await scenario.act(context, stage);
      if (by === 'promote') await promote(failover, context.next, report);
      if (by !== 'nobody') await stage.acceptedElsewhere();
      report('writes are accepted again');
    },
    restore: async () => {
      report('end the fault and bring the cluster back');
      await scenario.heal(context);
      await site.ground.lab?.heal();
      restored = (await restore(site, failover)).actions;
      if (scenario.restore) {
        await scenario.restore(context);
        await restore(site, failover);
      }
    },
  });
  await dropTable(site);
  return { ...found, by, restored };
}

/** Right after a fault a promotion may be refused because replicas still hear the primary, for some seconds. */
async function promote(failover: Tool, to: string, report: (line: string) => void): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const ended = await failover('promote', to, '--yes', '--json');
    if (ended.status === 0) return;
    const line = ended.stdout.split('\n').at(-1) ?? '';
    if (attempt === 10 || !line.includes('"refused"'))
      throw new Error(`failover promote ${to} ended with ${ended.status}: ${ended.stderr.trim()}`);
    report(`promote was refused, and is tried again: ${ended.stderr.trim().split('\n')[1]?.trim() ?? ''}`);
  }
}
