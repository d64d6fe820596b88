// What a switchover, a promotion and the watch cost, on real servers under a checked writer. docs/drills.md says how.
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { type DrillSite, drillSite } from '../src/commands/failover/drill-site.ts';
import { exercise, type Exercise, type ExerciseReport } from '../src/failover/drill/exercise.ts';
import { type FaultName, FAULTS } from '../src/failover/drill/faults.ts';
import { specOf } from '../src/failover/drill/ground.ts';
import { convergence, serverIdOf } from '../src/failover/drill/invariants.ts';
import { primaryName } from '../src/failover/drill/look.ts';
import { restore } from '../src/failover/drill/restore.ts';
import { makeTool, type Tool } from '../src/failover/drill/tool.ts';
import { tally } from '../src/failover/drill/write.ts';
import { describe, makeTable, startWriter } from '../src/failover/drill/writer.ts';
import { buildDrill } from '../scripts/build-drill.ts';
import { median } from './measure.ts';

const ROOT = join(import.meta.dirname, '..');

export const FAILOVER_PARTS = ['switchover', 'promote', 'watch'] as const;
export type FailoverPart = (typeof FAILOVER_PARTS)[number];

export interface FailoverBench {
  readonly inventory: string;
  readonly parts: readonly FailoverPart[];
  readonly runs: number;
  /** The program: Node.js and what it runs. */
  readonly program: readonly string[];
  readonly say: (line: string) => void;
}

const PER_SECOND = 200;

/** Runs the parts on a provisioned lab. Rejects when an acknowledged write was lost, or anything else is not whole. */
export async function benchFailover(options: FailoverBench): Promise<void> {
  await buildDrill();
  const site = await drillSite(options.inventory);
  const failover = makeTool(options.program, ['-i', options.inventory], ROOT);
  await makeTable(site);
  const bench = new Bench(site, failover, options);
  await failover('pause', 'measuring');
  try {
    if (options.parts.includes('switchover')) await bench.switchovers();
    if (options.parts.includes('promote')) {
      await bench.promotions('kill', 0);
      // Whoever presses Enter for a host without power has looked at it before.
      await bench.promotions('power', 5000);
    }
    if (options.parts.includes('watch')) {
      await failover('resume');
      for (const fault of ['kill', 'freeze', 'isolate'] as const) await bench.watch(fault);
    }
  } finally {
    await failover('resume');
    await site.ground.close();
  }
  if (bench.violations > 0) throw new Error(`${bench.violations} invariants were violated`);
}

class Bench {
  readonly #site: DrillSite;
  readonly #failover: Tool;
  readonly #options: FailoverBench;
  violations = 0;

  constructor(site: DrillSite, failover: Tool, options: FailoverBench) {
    this.#site = site;
    this.#failover = failover;
    this.#options = options;
  }

  /** One long time of writing, by SQL and by HTTP, with a switchover in the middle of each of its parts. */
  async switchovers(): Promise<void> {
    const { say, runs } = this.#options;
    say(`\nfailover promote, the primary alive (writer: ${PER_SECOND} inserts/s through the balancers)`);
    const site = this.#site;
    const gaps: number[] = [];
    const whole: number[] = [];
    const unwritable: number[] = [];
    const steps = new Map<string, number[]>();
    const posts = await startWriter(site, {
      host: 'client',
      node: process.execPath,
      url: `http://${site.vip}/api/messages`,
      perSecond: 20,
      seconds: 3600,
      number: 9,
    });
    await posts.begun;
    let writes: ExerciseReport['writes'] = [];
    const report = await this.#exercise({
      changes: runs,
      act: async (stage) => {
        for (let run = 0; run < runs; run++) {
          const to = this.#other(await primaryName(site));
          const sinceMs = Date.now();
          const ended = await this.#promote(to, run, steps);
          await wait(1000);
          if (ended === undefined) continue;
          const untilMs = Date.now();
          writes = stage.writers.flatMap((writer) => writer.writes);
          gaps.push(tally(writes, { sinceMs, untilMs }).gapMs);
          whole.push(ended.ms);
          unwritable.push(ended.unwritableMs);
        }
      },
      restore: async () => await this.#restore(),
    });
    const answers = await posts.stop();
    row(say, 'writes blocked', gaps, 300);
    row(say, 'said by promote itself', unwritable);
    row(say, 'the whole process', whole);
    say(`  SQL: ${describe(report.tally)}`);
    say(`  HTTP: ${describe(answers)} (aim: none refused, none without an answer)`);
    say(`  lost: ${lost(report)}`);
    say('  where the time goes, the median of each step:');
    for (const [name, times] of [...steps]
      .sort(([, one], [, other]) => median(other) - median(one))
      .slice(0, 10))
      say(`    ${median(times).toFixed(0).padStart(5)} ms  ${name}`);
  }

  /** The primary is dead; `waitMs` later somebody presses Enter. */
  async promotions(fault: FaultName, waitMs: number): Promise<void> {
    const { say, runs } = this.#options;
    say(`\nfailover promote, the primary dead (${FAULTS[fault].description})`);
    const times: number[] = [];
    const whole: number[] = [];
    const steps = new Map<string, number[]>();
    let losses = 0;
    for (let run = 0; run < runs; run++) {
      let enteredAt = 0;
      let isDone = false;
      let from = '';
      const report = await this.#exercise({
        changes: 1,
        act: async (stage) => {
          from = stage.primary;
          const to = this.#other(from);
          await FAULTS[fault].cause(this.#site, from);
          await wait(waitMs);
          stage.mark();
          enteredAt = Date.now();
          const ended = await this.#promote(to, run, steps);
          isDone = ended !== undefined;
          if (ended) whole.push(ended.ms);
        },
        restore: async () => {
          await FAULTS[fault].heal(this.#site, from);
          await this.#restore();
        },
      });
      const byFrom = serverIdOf(specOf(this.#site, from).address);
      const first = report.writes
        .filter(
          (write) => write.outcome === 'acknowledged' && write.by !== byFrom && write.endedAt >= enteredAt,
        )
        .sort((one, other) => one.endedAt - other.endedAt)[0];
      if (first && isDone) times.push(first.endedAt - enteredAt);
      losses += lost(report);
    }
    row(say, 'Enter → first accepted write', times, 1500);
    row(say, 'the whole process', whole);
    say(`  lost: ${losses}`);
    say('  where the time goes, the median of each step:');
    for (const [name, found] of [...steps]
      .sort(([, one], [, other]) => median(other) - median(one))
      .slice(0, 8))
      say(`    ${median(found).toFixed(0).padStart(5)} ms  ${name}`);
  }

  /** Nobody does anything but the watch. */
  async watch(fault: FaultName): Promise<void> {
    const { say, runs } = this.#options;
    say(`\nfailover watch (${FAULTS[fault].description})`);
    const times: number[] = [];
    let losses = 0;
    for (let run = 0; run < runs; run++) {
      await this.#failover('ack');
      let from = '';
      let faultAt = 0;
      const report = await this.#exercise({
        changes: 1,
        act: async (stage) => {
          from = stage.primary;
          faultAt = Date.now();
          await FAULTS[fault].cause(this.#site, from);
          stage.mark();
          await stage.acceptedElsewhere();
        },
        restore: async () => {
          await FAULTS[fault].heal(this.#site, from);
          await this.#site.ground.lab?.heal();
          await this.#restore();
        },
      });
      const byFrom = serverIdOf(specOf(this.#site, from).address);
      const first = report.writes
        .filter(
          (write) => write.outcome === 'acknowledged' && write.by !== byFrom && write.endedAt >= faultAt,
        )
        .sort((one, other) => one.endedAt - other.endedAt)[0];
      if (first) times.push(first.endedAt - faultAt);
      losses += lost(report);
    }
    row(say, 'fault → first accepted write', times, fault === 'kill' ? 2500 : 8000);
    say(`  lost: ${losses}`);
  }

  /** Promotes, and adds the time of each step. A run that fails is told and counted, and has no figures. */
  async #promote(
    to: string,
    run: number,
    steps: Map<string, number[]>,
  ): Promise<{ ms: number; unwritableMs: number } | undefined> {
    const ended = await this.#failover('promote', to, '--yes', '--json');
    if (ended.status !== 0) {
      this.violations++;
      this.#options.say(`  FAILED run ${run + 1}: promote ended with ${ended.status}: ${ended.stderr}`);
      return undefined;
    }
    let unwritableMs = 0;
    for (const line of ended.stdout.split('\n').map((text) => JSON.parse(text) as StepLine)) {
      if (line.type === 'result') unwritableMs = line.unwritableMs ?? 0;
      if (line.type === 'step' && line.status === 'done')
        steps.set(line.name ?? '', [...(steps.get(line.name ?? '') ?? []), line.ms ?? 0]);
    }
    return { ms: ended.ms, unwritableMs };
  }

  /** The writer is on the server that neither is nor becomes the primary. */
  async #exercise(plan: Omit<Exercise, 'perSecond' | 'writerHosts'>): Promise<ExerciseReport> {
    const primary = await primaryName(this.#site);
    const next = this.#other(primary);
    const third = this.#site.instances.find((spec) => spec.name !== primary && spec.name !== next);
    const report = await exercise(this.#site, {
      ...plan,
      perSecond: PER_SECOND,
      ...(third && { writerHosts: [third.host] }),
    });
    // What was measured before is not thrown away: it is told, and the whole ends as a failure.
    for (const { invariant, message } of report.violations) {
      this.violations++;
      this.#options.say(`  VIOLATED ${invariant}: ${message}`);
    }
    return report;
  }

  async #restore(): Promise<void> {
    const { violations } = await restore(this.#site, this.#failover);
    if (violations.length > 0) throw new Error(violations.map(({ message }) => message).join('\n'));
    await convergence(this.#site, { withinMs: 10_000 });
  }

  #other(primary: string): string {
    const names = this.#site.instances.map((spec) => spec.name);
    return names[(names.indexOf(primary) + 1) % names.length] ?? '';
  }
}

interface StepLine {
  readonly type: string;
  readonly name?: string;
  readonly status?: string;
  readonly ms?: number;
  readonly unwritableMs?: number | null;
}

function lost(report: ExerciseReport): number {
  return report.violations.filter(({ invariant }) => invariant === 'durability').length;
}

function row(say: (line: string) => void, name: string, times: readonly number[], aim?: number): void {
  const worst = Math.max(...times);
  const text = `${name.padEnd(30)} median ${median(times).toFixed(0).padStart(5)} ms, worst ${worst.toFixed(0).padStart(5)} ms, ${times.length} runs`;
  say(`  ${text}${aim === undefined ? '' : ` (aim: ${aim})`}`);
}
