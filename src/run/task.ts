import { setTimeout as delay } from 'node:timers/promises';

import { type Dict, type Value } from '../lib/value.ts';
import type { Layer, Scope } from '../plan/variables.ts';
import type { Task } from '../playbook/ast.ts';
import { renderString } from '../template/render.ts';
import { TransportError } from '../transport/transport.ts';
import { engineAction } from './actions.ts';
import type { Upcoming } from './ahead.ts';
import { narrowWindow } from './window.ts';
import type { TaskStatus } from './events.ts';
import { handlersNotifiedBy } from './handlers.ts';
import { itemScopes, type Item } from './loop.ts';
import { runModule } from './module-task.ts';
import { holds, keyword, keywordFlag, noLog } from './prepare.ts';
import { failedResult, loopResult, skippedResult, type ItemResult } from './result.ts';
import { environmentOf, scopeOf } from './scope.ts';
import { hostRun } from './targets.ts';
import { TaskError } from './task-error.ts';
import type { ExtraLayers, HostRun, PlayRun } from './world.ts';

/** How a task ended on one host, over all passes of its loop. */
export interface TaskEnd {
  readonly status: TaskStatus;
  readonly values: Dict;
  readonly ignored: boolean;
}

const HIDDEN = 'the output is hidden: no_log was set for this task';

/** Runs one task on one host: its loop, its retries, and what its keywords make of the results. */
export async function runTaskOnHost(
  run: PlayRun,
  task: Task,
  host: HostRun,
  upcoming: Upcoming | undefined,
  extra: ExtraLayers = [],
): Promise<TaskEnd> {
  const startedAt = performance.now();
  const scope = scopeOf(run, host, task, extra);
  try {
    const end = await runItems(run, task, host, scope, upcoming);
    remember(run, task, host, end.values);
    return end;
  } catch (error) {
    if (error instanceof TransportError) {
      const ignored = keywordFlag(task.ignoreUnreachable, scope, run, task, 'ignore_unreachable') ?? false;
      report(run, task, host, {
        status: 'unreachable',
        message: error.message,
        ignored,
        ms: performance.now() - startedAt,
      });
      return {
        status: 'unreachable',
        values: new Map<Value, Value>([
          ['unreachable', true],
          ['changed', false],
          ['msg', error.message],
        ]),
        ignored,
      };
    }
    if (!(error instanceof TaskError)) throw error;
    const result = failedResult(error.message);
    const ignored = keywordFlag(task.ignoreErrors, scope, run, task, 'ignore_errors') ?? false;
    report(run, task, host, {
      status: 'failed',
      message: error.message,
      ignored,
      ms: performance.now() - startedAt,
    });
    remember(run, task, host, result.values);
    return { status: 'failed', values: result.values, ignored };
  }
}

async function runItems(
  run: PlayRun,
  task: Task,
  host: HostRun,
  scope: Scope,
  upcoming: Upcoming | undefined,
): Promise<TaskEnd> {
  const ignoresErrors = (): boolean =>
    keywordFlag(task.ignoreErrors, scope, run, task, 'ignore_errors') ?? false;
  // A condition that does not hold keeps the loop's list from being worked out: it may not exist then.
  let items: readonly Item[];
  try {
    items = itemScopes(run, task, scope);
  } catch (error) {
    if (error instanceof TaskError && task.when.length > 0 && !holds(task.when, scope, run, task, 'when'))
      items = [];
    else throw error;
  }
  if (items.length === 0) {
    const result = skippedResult('No items in the list', { results: [] });
    report(run, task, host, { status: 'skipped', message: 'no items in the list', ms: 0 });
    return { status: 'skipped', values: result.values, ignored: false };
  }

  const results: Dict[] = [];
  const statuses: TaskStatus[] = [];
  let ignored = false;
  for (const [index, item] of items.entries()) {
    if (index > 0) await pauseBetweenItems(run, task, scope);
    const startedAt = performance.now();
    const hidden = noLog(run, task, item.scope);
    const result = await runItem(run, task, host, item, upcoming);
    ignored ||= result.status === 'failed' && ignoresErrors();
    statuses.push(result.status);
    results.push(itemValues(task, item, result));
    report(run, task, host, {
      status: result.status,
      ...(item.label === undefined ? {} : { item: hidden ? '(hidden)' : item.label }),
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

async function runItem(
  run: PlayRun,
  task: Task,
  host: HostRun,
  item: Item,
  upcoming: Upcoming | undefined,
): Promise<ItemResult> {
  const { scope } = item;
  if (!holds(task.when, scope, run, task, 'when')) return skippedResult('Conditional result was False');
  const retries = task.until ? Number(keyword(task.retries, scope, run, task, 'retries') ?? 3) : 0;
  const seconds = Number(keyword(task.delay, scope, run, task, 'delay') ?? 5);
  for (let attempt = 1; ; attempt++) {
    const result = judge(run, task, item, host, await attemptItem(run, task, host, item, upcoming), attempt);
    if (!task.until) return result.item;
    if (holds(task.until, result.scope, run, task, 'until')) return withAttempts(result.item, attempt);
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
        attempt,
      );
    }
    run.world.emit({
      type: 'progress',
      host: host.name,
      line: `attempt ${attempt} of ${retries + 1}; next in ${seconds} s`,
    });
    await delay(seconds * 1000, undefined, { signal: run.world.signal }).catch(() => undefined);
  }
}

function withAttempts(item: ItemResult, attempts: number): ItemResult {
  return { ...item, values: new Map<Value, Value>([...item.values, ['attempts', attempts]]) };
}

async function attemptItem(
  run: PlayRun,
  task: Task,
  host: HostRun,
  item: Item,
  upcoming: Upcoming | undefined,
): Promise<ItemResult> {
  const action = engineAction(run, task, host, item.scope);
  if (action) return action;
  const target = delegate(run, task, item.scope) ?? host;
  return await runModule({ run, task, scope: item.scope, host, target, upcoming });
}

function delegate(run: PlayRun, task: Task, scope: Scope): HostRun | undefined {
  const name = keyword(task.delegateTo, scope, run, task, 'delegate_to');
  return name === undefined || name === null ? undefined : hostRun(run.world, String(name));
}

/** What `changed_when` and `failed_when` make of a result, handlers notified, facts taken over. */
function judge(
  run: PlayRun,
  task: Task,
  item: Item,
  host: HostRun,
  raw: ItemResult,
  attempt: number,
): { item: ItemResult; scope: Scope } {
  const { world } = run;
  let result = raw;
  const scopeWith = (values: Dict): Scope => {
    const own = new Map<Value, Value>([['attempts', attempt]]);
    if (task.register !== undefined) own.set(task.register, values);
    return item.scope.with([{ values: own, written: false } satisfies Layer]);
  };
  let scope = scopeWith(result.values);
  if (result.status !== 'skipped') {
    if (task.changedWhen && result.status !== 'failed') {
      const changed = holds(task.changedWhen, scope, run, task, 'changed_when');
      result = {
        ...result,
        status: changed ? 'changed' : 'ok',
        values: new Map<Value, Value>([...result.values, ['changed', changed]]),
      };
    }
    if (task.failedWhen) {
      const failed = holds(task.failedWhen, scope, run, task, 'failed_when');
      const changed = result.values.get('changed') === true;
      result = {
        ...result,
        status: failed ? 'failed' : changed ? 'changed' : 'ok',
        ...(failed ? { message: result.message ?? 'failed_when holds' } : { message: undefined }),
        values: new Map<Value, Value>([...result.values, ['failed', failed], ['failed_when_result', failed]]),
      };
    }
    scope = scopeWith(result.values);
  }
  if (result.mayHaveChanged && result.values.get('changed') === true) {
    (delegate(run, task, item.scope) ?? host).session.forget();
    narrowWindow(host);
    world.changes++;
  }
  if (result.status === 'changed' && task.notify.length > 0) {
    for (const key of handlersNotifiedBy(run, task, item.scope)) host.notified.add(key);
  }
  if (result.facts && result.status !== 'failed') takeFacts(run, task, item.scope, host, result.facts);
  return { item: result, scope };
}

function takeFacts(run: PlayRun, task: Task, scope: Scope, host: HostRun, facts: Dict): void {
  const owner = keywordFlag(task.delegateFacts, scope, run, task, 'delegate_facts')
    ? (delegate(run, task, scope) ?? host)
    : host;
  for (const [name, value] of facts) owner.facts.set(name, value);
  run.world.knowledge++;
}

function itemValues(task: Task, item: Item, result: ItemResult): Dict {
  if (!task.loop) return result.values;
  return new Map<Value, Value>([
    ...result.values,
    [task.loop.variable, item.value ?? null],
    ['ansible_loop_var', task.loop.variable],
  ]);
}

async function pauseBetweenItems(run: PlayRun, task: Task, scope: Scope): Promise<void> {
  const seconds = keyword(task.loop?.pauseSeconds, scope, run, task, 'loop_control.pause');
  if (seconds !== undefined && seconds !== null) await delay(Number(seconds) * 1000);
}

function worst(statuses: readonly TaskStatus[]): TaskStatus {
  for (const status of ['unreachable', 'failed', 'changed', 'ok'] as const)
    if (statuses.includes(status)) return status;
  return 'skipped';
}

/** Keeps the result under the name that `register` gives. */
function remember(run: PlayRun, task: Task, host: HostRun, values: Dict): void {
  if (task.register === undefined) return;
  host.values.set(task.register, values);
  run.world.knowledge++;
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

function report(run: PlayRun, task: Task, host: HostRun, what: Reported): void {
  const { secrets, emit } = run.world;
  const clean = (text: string): string => secrets.redact(text);
  emit({
    type: 'result',
    host: host.name,
    task: taskName(run, task, host),
    module: task.action.text,
    status: what.status,
    ...(what.item === undefined ? {} : { item: clean(what.item) }),
    ...(what.message === undefined ? {} : { message: clean(what.message) }),
    ...(what.output === undefined ? {} : { output: clean(what.output) }),
    ...(what.diff === undefined
      ? {}
      : {
          diff: what.diff.map((diff) => ({
            subject: clean(diff.subject),
            before: clean(diff.before),
            after: clean(diff.after),
          })),
        }),
    ...(what.ignored ? { ignored: true } : {}),
    ms: Math.round(what.ms),
  });
}

/** A task's name for reports; variables that are not known leave it as written. */
export function taskName(run: PlayRun, task: Task, host: HostRun | undefined): string {
  const text = task.name?.text ?? task.action.text;
  if (!text.includes('{{') || !host) return text;
  const scope = scopeOf(run, host, task);
  try {
    return String(
      renderString(
        text,
        scope,
        environmentOf(run.world, task.role, () => scope),
        task.at,
      ),
    );
  } catch {
    return text;
  }
}
