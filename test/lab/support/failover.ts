import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';

import type { ExecutionContext } from 'ava';

import { type DrillSite, drillSite } from '../../../src/commands/failover/drill-site.ts';
import { exercise, type ExerciseReport, type Stage } from '../../../src/failover/drill/exercise.ts';
import { type FaultName, FAULTS } from '../../../src/failover/drill/faults.ts';
import { primaryName } from '../../../src/failover/drill/look.ts';
import { restore } from '../../../src/failover/drill/restore.ts';
import { makeTool, type Tool, type ToolResult } from '../../../src/failover/drill/tool.ts';
import { describe, makeTable } from '../../../src/failover/drill/writer.ts';
import { buildDrill } from '../../../scripts/build-drill.ts';
import { must, type TestLab } from './site.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** A provisioned lab whose primary is moved about. */
export interface FailoverLab {
  readonly site: DrillSite;
  readonly failover: Tool;
  /** The same, and it must succeed. */
  ok(...args: readonly string[]): Promise<ToolResult>;
  /** The names of the instances: the primary, then the others. */
  roles(): Promise<readonly [string, string, string]>;
  /** Writers write while `act` runs; afterwards everything is healed, brought back and checked. */
  during(
    act: (stage: Stage) => Promise<void>,
    options?: {
      readonly changes?: number;
      readonly limitMs?: number;
      readonly writerHosts?: readonly string[];
      readonly perSecond?: number;
      readonly heal?: () => Promise<void>;
    },
  ): Promise<ExerciseReport & { readonly actions: readonly string[] }>;
  cause(fault: FaultName, instance: string): Promise<void>;
  heal(fault: FaultName, instance: string): Promise<void>;
}

export async function failoverLab(lab: TestLab, extra: readonly string[] = []): Promise<FailoverLab> {
  await buildDrill();
  const variables = new Map(
    extra.filter((one) => one !== '-e').map((one) => one.split('=', 2) as [string, string]),
  );
  const site = await drillSite(`${ROOT}${lab.inventory}`, variables);
  const failover = makeTool(
    [process.execPath, `${ROOT}src/bin/failover.ts`],
    ['-i', lab.inventory, ...extra],
    ROOT,
  );
  const ok = async (...args: readonly string[]): Promise<ToolResult> => must2(await failover(...args), args);
  await makeTable(site);
  return {
    site,
    failover,
    ok,
    async roles() {
      const primary = await primaryName(site);
      const [one = '', other = ''] = site.instances
        .map((spec) => spec.name)
        .filter((name) => name !== primary);
      return [primary, one, other];
    },
    async during(act, { changes = 1, limitMs, writerHosts, perSecond = 100, heal } = {}) {
      let actions: readonly string[] = [];
      const report = await exercise(site, {
        act,
        changes,
        perSecond,
        ...(limitMs === undefined ? {} : { limitMs }),
        ...(writerHosts === undefined ? {} : { writerHosts }),
        restore: async () => {
          try {
            await heal?.();
          } finally {
            // The next test finds a whole cluster, whatever this one did.
            await site.ground.lab?.heal();
            ({ actions } = await restore(site, failover));
          }
        },
      });
      return { ...report, actions };
    },
    cause: async (fault, instance) => await FAULTS[fault].cause(site, instance),
    heal: async (fault, instance) => await FAULTS[fault].heal(site, instance),
  };
}

/** The last line of `--json`. */
export function lastLine(ended: ToolResult): Readonly<Record<string, unknown>> {
  return JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '{}') as Readonly<Record<string, unknown>>;
}

/** No acknowledged write is missing anywhere, and the cluster is whole. */
export function isSound(t: ExecutionContext, report: Awaited<ReturnType<FailoverLab['during']>>): void {
  t.log(
    `${report.from} → ${report.to}: ${describe(report.tally)}${report.recoveredMs === undefined ? '' : `, accepted again after ${Math.round(report.recoveredMs)} ms`}${report.actions.length === 0 ? '' : `; then ${report.actions.join(', ')}`}`,
  );
  t.deepEqual(report.violations, []);
  t.true(report.tally.acknowledged > 50, 'the writer wrote');
}

/**
 * At once after a fault nobody may know yet that the primary is dead: a refusal says so, and to ask again is right. A
 * primary that answers and cannot commit is given up only by whoever accepts the risks that the refusal names.
 */
export async function promoteUntilDone(
  t: ExecutionContext,
  at: FailoverLab,
  to: string,
  force = false,
): Promise<ToolResult> {
  let risks: readonly string[] = [];
  for (let attempt = 1; ; attempt++) {
    const more = force && attempt > 2 && risks.length > 0 ? ['--force', risks.join(',')] : [];
    const ended = await at.failover('promote', to, '--yes', '--json', ...more);
    if (lastLine(ended)['outcome'] === 'done' || attempt === 5) return ended;
    t.log(`attempt ${attempt}: ${ended.stderr.trim().split('\n').slice(0, 3).join(' ').slice(0, 300)}`);
    const { refusals = [] } = lastLine(ended) as { refusals?: readonly { risk: string | null }[] };
    risks = [...new Set([...risks, ...refusals.flatMap(({ risk }) => risk ?? [])])];
    await wait(500);
  }
}

export async function eventually(
  what: string,
  condition: () => Promise<boolean>,
  limitMs = 60_000,
): Promise<void> {
  const until = Date.now() + limitMs;
  while (!(await condition().catch(() => false))) {
    if (Date.now() > until) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
    await wait(100);
  }
}

function must2(ended: ToolResult, args: readonly string[]): ToolResult {
  must(ended, `failover ${args.join(' ')}`);
  return ended;
}
