import type { DrillReport } from './run-drill.ts';

/** What `failover drill --json` prints. Times are milliseconds. */
export interface DrillJson {
  readonly type: 'drill';
  readonly scenario: string;
  readonly from: string;
  readonly to: string;
  readonly by: 'watch' | 'promote' | 'nobody';
  /** From the fault to the first accepted write that was sent after it. */
  readonly recoveredMs: number | null;
  /** The longest time without an accepted write. */
  readonly gapMs: number;
  readonly accepted: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly restored: readonly string[];
  readonly violations: readonly { readonly invariant: string; readonly message: string }[];
}

export function drillJson(scenario: string, report: DrillReport): DrillJson {
  const { from, to, by, recoveredMs, tally, restored, violations } = report;
  return {
    type: 'drill',
    scenario,
    from,
    to,
    by,
    recoveredMs: recoveredMs === undefined ? null : Math.round(recoveredMs),
    gapMs: Math.round(tally.gapMs),
    accepted: tally.acknowledged,
    refused: tally.refused,
    unanswered: tally.unknown,
    restored,
    violations,
  };
}
