import { UserError } from '../lib/errors.ts';
import type { Task } from '../playbook/ast.ts';
import { learned } from './changed.ts';
import { playValue } from './play-value.ts';
import type { TaskEnd } from './task.ts';
import type { HostRun, PlayRun } from './world.ts';

/** The play is to go no further: too many hosts failed, or `meta` said so. */
export class EndOfPlay extends Error {
  readonly reason: string | undefined;

  constructor(reason?: string) {
    super(reason ?? 'end of play');
    this.reason = reason;
  }
}

/** Why a host left a list of tasks; a block's rescue may take it up. */
export interface Failure {
  readonly kind: 'failed' | 'unreachable';
  /** False for a host that is out because of another's failure (any_errors_fatal, run_once). */
  readonly own: boolean;
  readonly task: Task;
  readonly values: TaskEnd['values'];
}

/** The hosts that are out. */
export type Failures = Map<HostRun, Failure>;

/** What a task's end means for a host's place in the play. */
export function failureOf(task: Task, end: TaskEnd): Failure | undefined {
  if (end.ignored || (end.status !== 'failed' && end.status !== 'unreachable')) return undefined;
  return { kind: end.status, own: true, task, values: end.values };
}

/** The hosts of the batch that are still in it. */
export function activeHosts(run: PlayRun): readonly HostRun[] {
  return run.batch.filter((host) => host.state === 'active');
}

/** Takes hosts that failed out of the play. */
export function settle(run: PlayRun, failures: Failures): void {
  for (const [host, failure] of failures) leave(run, host, failure.kind);
  checkLimits(run, new Map());
}

/** Takes a host out of the play. */
export function leave(run: PlayRun, host: HostRun, state: HostRun['state']): void {
  host.state = state;
  // Who is still in the play is something that templates can ask.
  learned(run.world);
}

/** `max_fail_percentage`; a host that cannot be reached counts as failed, so that a rolling change stops. */
export function checkLimits(run: PlayRun, failing: Failures): void {
  const { play, batch } = run;
  const [first] = batch;
  if (!play.maxFailPercentage || !first) return;
  const value = Number(playValue(run, first, play.maxFailPercentage));
  if (Number.isNaN(value)) {
    throw new UserError({
      message: 'max_fail_percentage: expected a number',
      location: play.maxFailPercentage.at,
    });
  }
  const out = batch.filter(
    (host) => host.state === 'failed' || host.state === 'unreachable' || failing.has(host),
  ).length;
  if ((out / batch.length) * 100 > value) {
    for (const [host, failure] of failing) leave(run, host, failure.kind);
    throw new EndOfPlay(
      `${out} of ${batch.length} hosts failed, more than max_fail_percentage (${value} %) allows`,
    );
  }
}
