import type { Dict, Value } from '../lib/value.ts';
import type { Task } from '../playbook/ast.ts';
import type { Layer, Scope } from '../variables/scope.ts';
import { learned } from './changed.ts';
import { delegateOf } from './delegate.ts';
import { handlersNotifiedBy } from './handlers.ts';
import { holds, keywordFlag } from './prepare.ts';
import { failedResult, type ItemResult } from './result.ts';
import { explainError } from './task-error.ts';
import type { Turn } from './turn.ts';
import type { HostRun } from './world.ts';

/** A result with what the task's keywords make of it; handlers are notified, facts taken over. */
export function judge(
  turn: Turn,
  raw: ItemResult,
  attempt: number,
): { readonly item: ItemResult; readonly scope: Scope } {
  const { run, task, host } = turn;
  let result = raw;
  const scopeWith = (values: Dict): Scope => {
    const own = new Map<Value, Value>([['attempts', attempt]]);
    if (task.register !== undefined) own.set(task.register, values);
    return turn.scope.with([{ values: own, written: false } satisfies Layer]);
  };
  let scope = scopeWith(result.values);
  if (result.status !== 'skipped') {
    try {
      result = judged(task, result, scopeWith);
    } catch (error) {
      // It was done all the same, and may have changed something.
      const { message, values } = failedResult(explainError(error, task.at, task.action.text).message);
      result = {
        ...result,
        status: 'failed',
        message,
        values: new Map<Value, Value>([
          ...values,
          ...result.values,
          ['failed', true],
          ['msg', message ?? ''],
        ]),
      };
    }
    scope = scopeWith(result.values);
  }
  if (result.status === 'changed' && task.notify.length > 0) {
    for (const key of handlersNotifiedBy(run, task, turn.scope)) host.notified.add(key);
  }
  if (result.status !== 'failed') takeFacts(turn, result);
  return { item: result, scope };
}

/** What `changed_when` and `failed_when` make of a result. */
function judged(task: Task, raw: ItemResult, scopeWith: (values: Dict) => Scope): ItemResult {
  let result = raw;
  if (task.changedWhen) {
    const changed = holds(task.changedWhen, scopeWith(result.values), 'changed_when');
    result = {
      ...result,
      status: result.status === 'failed' ? 'failed' : changed ? 'changed' : 'ok',
      values: new Map<Value, Value>([...result.values, ['changed', changed]]),
    };
  }
  if (task.failedWhen) {
    const failed = holds(task.failedWhen, scopeWith(result.values), 'failed_when');
    const changed = result.values.get('changed') === true;
    result = {
      ...result,
      status: failed ? 'failed' : changed ? 'changed' : 'ok',
      message: failed
        ? (result.message ?? 'failed_when holds')
        : result.status === 'failed'
          ? undefined
          : result.message,
      values: new Map<Value, Value>([...result.values, ['failed', failed], ['failed_when_result', failed]]),
    };
  }
  return result;
}

/** Gives the host what the task found: facts, set_fact's and include_vars' variables. */
function takeFacts(turn: Turn, result: ItemResult): void {
  const { facts, assigned, included } = result;
  if (!facts && !assigned && !included) return;
  for (const owner of ownersOf(turn)) {
    for (const [name, value] of facts ?? []) owner.facts.set(name, value);
    for (const [name, value] of assigned ?? []) owner.values.set(name, value);
    if (included) owner.includedVars = [...owner.includedVars, ...included];
  }
  learned(turn.run.world);
}

function ownersOf(turn: Turn): readonly HostRun[] {
  const { run, task, scope, host } = turn;
  if (keywordFlag(task.delegateFacts, scope, 'delegate_facts')) return [delegateOf(turn) ?? host];
  // What is found once is found for all.
  return keywordFlag(task.runOnce, scope, 'run_once')
    ? run.batch.filter((one) => one.state === 'active')
    : [host];
}
