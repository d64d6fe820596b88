import { setTimeout as delay } from 'node:timers/promises';

import { UserError } from '../lib/errors.ts';
import { type Dict, type Value } from '../lib/value.ts';
import type { Scope } from '../variables/scope.ts';
import type { Task } from '../playbook/ast.ts';
import { TransportError } from '../transport/transport.ts';
import { engineAction } from './actions.ts';
import { setVariable, timePassed } from './changed.ts';
import { delegateOf } from './delegate.ts';
import type { TaskStatus } from './events.ts';
import { judge } from './judge.ts';
import { itemsOrSkip, type Item } from './loop.ts';
import { runModule } from './module-task.ts';
import { firstUnmet, holds, keyword, keywordFlag, noLog } from './prepare.ts';
import { failedResult, loopResult, skippedResult, type ItemResult } from './result.ts';
import { taskName } from './task-name.ts';
import { TaskError } from './task-error.ts';
import { failureBy } from './task-failure.ts';
import type { Turn } from './turn.ts';

/** How a task ended on one host, over all passes of its loop. */
export interface TaskEnd {
  readonly status: TaskStatus;
  readonly values: Dict;
  readonly ignored: boolean;
}

const HIDDEN = 'the output is hidden: no_log was set for this task';

/** Runs one task on one host: its loop, its retries, and what its keywords make of the results. */
export async function runTaskOnHost(turn: Turn): Promise<TaskEnd> {
  const { task, scope } = turn;
  const startedAt = performance.now();
  try {
    const end = await runItems(turn);
    remember(turn, end.values);
    return end;
  } catch (error) {
    if (error instanceof TransportError) {
      const ignored = keywordFlag(task.ignoreUnreachable, scope, 'ignore_unreachable') ?? false;
      const values = new Map<Value, Value>([
        ['unreachable', true],
        ['changed', false],
        ['msg', error.message],
      ]);
      if (ignored) remember(turn, values);
      report(turn, {
        status: 'unreachable',
        message: error.message,
        ignored,
        ms: performance.now() - startedAt,
      });
      return { status: 'unreachable', values, ignored };
    }
    const result = failureBy(error, task.at, task.action.text);
    const ignored = isIgnored(task, scope);
    report(turn, {
      status: 'failed',
      message: hides(task, scope) ? HIDDEN : result.message,
      ignored,
      ms: performance.now() - startedAt,
    });
    remember(turn, result.values);
    return { status: 'failed', values: result.values, ignored };
  }
}

async function runItems(turn: Turn): Promise<TaskEnd> {
  const { task, scope, extra } = turn;
  const items = itemsOrSkip(task, scope);
  if (items.length === 0) {
    const result = skippedResult('No items in the list', {
      results: [],
      skipped_reason: 'No items in the list',
    });
    report(turn, { status: 'skipped', message: 'no items in the list', ms: 0 });
    return { status: 'skipped', values: result.values, ignored: false };
  }

  const results: Dict[] = [];
  const statuses: TaskStatus[] = [];
  let ignored = false;
  let previous: Dict | undefined;
  for (const [index, item] of items.entries()) {
    if (index > 0) await pauseBetweenItems(turn);
    const startedAt = performance.now();
    const seen = previous === undefined ? item : withPrevious(task, item, previous);
    const hidden = hides(task, seen.scope);
    const itemsDone = index + 1;
    const upcoming =
      itemsDone < items.length
        ? { nodes: [task], from: 0, after: turn.upcoming, extra, itemsDone }
        : turn.upcoming;
    // Of a loop, one item that fails does not keep the others from being done.
    const result = await runItem({ ...turn, scope: seen.scope, upcoming }).catch((error: unknown) =>
      failureBy(error, task.at, task.action.text),
    );
    ignored ||= result.status === 'failed' && isIgnored(task, scope);
    statuses.push(result.status);
    previous = itemValues(task, item, result);
    results.push(previous);
    report(turn, {
      status: result.status,
      ...(task.loop ? { item: hidden ? '(hidden)' : labelOf(item) } : {}),
      ...(hidden
        ? result.status === 'failed'
          ? { message: HIDDEN }
          : {}
        : { message: result.message, output: result.output, diff: result.diffs }),
      ...(result.status === 'failed' && ignored ? { ignored } : {}),
      ms: performance.now() - startedAt,
    });
  }
  const status = worst(statuses);
  return { status, values: task.loop ? loopResult(results) : (results[0] ?? new Map()), ignored };
}

/** What cannot be said about ignore_errors ignores nothing: the task failed already. */
function isIgnored(task: Task, scope: Scope): boolean {
  try {
    return keywordFlag(task.ignoreErrors, scope, 'ignore_errors') ?? false;
  } catch (error) {
    if (error instanceof TaskError) return false;
    throw error;
  }
}

/** What cannot be said about no_log counts as a wish to hide. */
function hides(task: Task, scope: Scope): boolean {
  try {
    return noLog(task, scope);
  } catch (error) {
    if (error instanceof TaskError) return true;
    throw error;
  }
}

/** During a loop, what the last item gave is known under the name that `register` gives. */
function withPrevious(task: Task, item: Item, previous: Dict): Item {
  if (task.register === undefined) return item;
  const values = new Map<Value, Value>([[task.register, previous]]);
  return { ...item, scope: item.scope.with([{ values, written: false }]), label: item.label };
}

function labelOf(item: Item): string {
  try {
    return item.label ?? '';
  } catch (error) {
    if (error instanceof UserError) return '(its label cannot be rendered)';
    throw error;
  }
}

async function runItem(turn: Turn): Promise<ItemResult> {
  const { run, task, host, scope } = turn;
  const unmet = firstUnmet(task.when, scope, 'when');
  if (unmet !== undefined)
    return skippedResult('Conditional result was False', { false_condition: asCondition(unmet) });
  // Like Ansible, one can ask for retries without saying until when: until it does not fail.
  const repeats = task.until !== undefined || task.retries !== undefined;
  const retries = repeats ? Math.max(0, Number(keyword(task.retries, scope, 'retries') ?? 3)) : 0;
  const seconds = Number(keyword(task.delay, scope, 'delay') ?? 5);
  for (let attempt = 1; ; attempt++) {
    const result = judge(turn, await attemptItem(turn), attempt);
    if (retries === 0) return result.item;
    const done = task.until ? holds(task.until, result.scope, 'until') : result.item.status !== 'failed';
    if (done) return withAttempts(result.item, attempt);
    if (attempt > retries || run.world.signal.aborted) {
      const last = result.item;
      return withAttempts(
        {
          ...failedResult(
            `${last.message ?? 'the condition of until'} (gave up after ${attempt} attempts)`,
            {},
            last.output,
          ),
          values: new Map<Value, Value>([...last.values, ['failed', true]]),
        },
        // As Ansible counts: those after the first.
        retries,
      );
    }
    run.world.emit({
      type: 'progress',
      host: host.name,
      line: `attempt ${attempt} of ${retries + 1}; next in ${seconds} s`,
    });
    await delay(seconds * 1000, undefined, { signal: run.world.signal }).catch(() => undefined);
    timePassed(run.world);
  }
}

/** A condition as YAML would have it: `false` is no text. */
function asCondition(text: string): string | boolean {
  const word = text.trim().toLowerCase();
  return word === 'false' ? false : word === 'true' ? true : text;
}

function withAttempts(item: ItemResult, attempts: number): ItemResult {
  return { ...item, values: new Map<Value, Value>([...item.values, ['attempts', attempts]]) };
}

async function attemptItem(turn: Turn): Promise<ItemResult> {
  return engineAction(turn) ?? (await runModule({ ...turn, target: delegateOf(turn) ?? turn.host }));
}

function itemValues(task: Task, item: Item, result: ItemResult): Dict {
  if (!task.loop) return result.values;
  return new Map<Value, Value>([
    ...result.values,
    [task.loop.variable, item.value ?? null],
    ['ansible_loop_var', task.loop.variable],
  ]);
}

async function pauseBetweenItems({ run, task, scope }: Turn): Promise<void> {
  const seconds = keyword(task.loop?.pauseSeconds, scope, 'loop_control.pause');
  if (seconds === undefined || seconds === null) return;
  await delay(Number(seconds) * 1000, undefined, { signal: run.world.signal }).catch(() => undefined);
  timePassed(run.world);
}

function worst(statuses: readonly TaskStatus[]): TaskStatus {
  for (const status of ['unreachable', 'failed', 'changed', 'ok'] as const)
    if (statuses.includes(status)) return status;
  return 'skipped';
}

/** Keeps the result under the name that `register` gives. */
function remember({ run, task, host }: Turn, values: Dict): void {
  if (task.register === undefined) return;
  setVariable(run.world, host, task.register, values);
}

interface Reported {
  readonly status: TaskStatus;
  readonly item?: string | undefined;
  readonly message?: string | undefined;
  readonly output?: string | undefined;
  readonly diff?: ItemResult['diffs'];
  readonly ignored?: boolean;
  readonly ms: number;
}

function report({ run, task, host }: Turn, what: Reported): void {
  run.world.emit({
    type: 'result',
    host: host.name,
    task: taskName(run, task, host),
    module: task.action.text,
    status: what.status,
    ...(what.item === undefined ? {} : { item: what.item }),
    ...(what.message === undefined ? {} : { message: what.message }),
    ...(what.output === undefined ? {} : { output: what.output }),
    ...(what.diff === undefined ? {} : { diff: what.diff }),
    ...(what.ignored ? { ignored: true } : {}),
    ms: Math.round(what.ms),
  });
}
