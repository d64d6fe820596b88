import { noteHandlers } from '../facts/due-handlers.ts';
import { unreachable } from '../lib/errors.ts';
import type { AnyModule } from '../modules/kit/module.ts';
import type { Effect, Plan, Result } from '../steps/plan.ts';
import type { StepOutput } from '../steps/step.ts';
import { dueHandlersQuery, ensureFacts, factsAhead, neededFacts, noteOf } from './ahead.ts';
import { applySteps } from './changed.ts';
import { narrowWindow, widenWindow } from './window.ts';
import { handlersNotifiedBy } from './handlers.ts';
import { prepare, type Prepared } from './prepare.ts';
import {
  failedResult,
  okResult,
  outcomeResult,
  resultValues,
  skippedResult,
  type ItemResult,
} from './result.ts';
import { actorKey, type Actor } from './host/actor.ts';
import { StepFailure } from './host/step-failure.ts';
import { ArgumentError } from './task-error.ts';
import type { ModuleTurn } from './turn.ts';
import type { HostRun } from './world.ts';

/** How often a module may ask for more facts before that counts as a bug. */
const MOST_ROUNDS = 8;

/** Plans a module's task on a host and does what the plan says. */
export async function runModule(turn: ModuleTurn): Promise<ItemResult> {
  const { run, target } = turn;
  const { session } = target;
  let prepared: Prepared;
  try {
    prepared = prepare(turn);
  } catch (error) {
    if (error instanceof ArgumentError) return failedResult(error.message);
    throw error;
  }
  if (!run.world.readsAhead) session.changed();
  const { age } = session;
  const plan = await planWithFacts(turn, prepared);
  if (plan.kind !== 'change') return await followPlan(turn, prepared, plan);
  // Several hosts may have tasks done on one machine at the same time (`delegate_to`). A change that was planned for
  // what another task has changed since is planned again.
  return await session.exclusively(async () => {
    const isStale = session.age !== age;
    return await followPlan(turn, prepared, isStale ? await planWithFacts(turn, prepared) : plan);
  });
}

async function followPlan(turn: ModuleTurn, prepared: Prepared, plan: Plan): Promise<ItemResult> {
  switch (plan.kind) {
    case 'unchanged':
      widenWindow(turn.target);
      return okResult(plan.result ?? {}, false);
    case 'skipped':
      return skippedResult(plan.message, plan.result);
    case 'failed':
      return failedResult(plan.message, plan.result);
    case 'change':
    case 'action':
      return await carryOut(turn, prepared, plan);
    case 'need':
      throw new Error(`${prepared.module.name} still asks for facts after ${MOST_ROUNDS} rounds`);
    default:
      return unreachable(plan);
  }
}

async function planWithFacts(turn: ModuleTurn, prepared: Prepared): Promise<Plan> {
  const { run, task, host, target } = turn;
  const { module, args, actor, context } = prepared;
  const facts = target.session.facts(actor);
  let needed = neededFacts(turn, prepared);
  let plan: Plan = { kind: 'need', facts: needed };
  for (let round = 0; round < MOST_ROUNDS && plan.kind === 'need'; round++) {
    needed = [...needed, ...plan.facts];
    await ensureFacts(turn, actor, needed);
    plan = module.plan(args, facts, context);
  }
  if (task.notify.length > 0) {
    const due = facts.get(dueHandlersQuery(run, host));
    if (due.length > 0) noteOn(host, target, actor);
    for (const name of due) {
      if (run.handlers.some((handler) => handler.key === name)) {
        host.notified.add(name);
        // An earlier play could not run it, and this one will.
        host.owed.delete(name);
      } else host.owed.add(name);
    }
  }
  return plan;
}

type Doing = Extract<Plan, { kind: 'change' | 'action' }>;

async function carryOut(turn: ModuleTurn, prepared: Prepared, plan: Doing): Promise<ItemResult> {
  const { run, task, target, host } = turn;
  const { actor, context } = prepared;
  const { world } = run;
  const diffs = plan.kind === 'change' && context.diffMode ? plan.diffs : undefined;
  if (context.checkMode) {
    if (plan.kind === 'change') return okResult(plan.result ?? {}, true, diffs);
    if (plan.inCheckMode === 'skip') return skippedResult('not run in check mode');
  }

  const effect = plan.kind === 'change' ? 'host' : plan.effect;
  // Whether an action changed anything is often for the task to say, afterwards.
  const surelyChanges = plan.kind === 'change' || (effect !== 'nothing' && !task.changedWhen);
  if (surelyChanges) narrowWindow(target);
  const afterwards = task.register === undefined ? undefined : prepared.module.afterwards;
  const later = afterwards?.((plan.kind === 'change' ? plan.result : undefined) ?? {});
  const notified = surelyChanges ? handlersNotifiedBy(run, task, turn.scope) : [];
  if (notified.length > 0) noteOn(host, target, actor);
  try {
    const outputs = await applySteps(world, target, actor, plan.steps, effect, {
      refresh: staysFresh(turn, effect)
        ? [...(later ? [later.read] : []), ...factsAhead(turn, actor, { changed: surelyChanges })]
        : [],
      before: notified.length > 0 ? noteHandlers(noteOf(run, host), notified) : undefined,
      onLine: (line) => world.emit({ type: 'progress', host: host.name, line }),
    });
    const result = finish(plan, outputs, diffs);
    return afterwards ? await withLater(turn, actor, result, afterwards) : result;
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    return failedResult(error.message, { rc: error.status, stderr: error.output }, error.shown);
  }
}

/** Adds what only the target can tell of what was done there. */
async function withLater(
  turn: ModuleTurn,
  actor: Actor,
  result: ItemResult,
  afterwards: NonNullable<AnyModule['afterwards']>,
): Promise<ItemResult> {
  if (result.status === 'failed') return result;
  const later = afterwards(Object.fromEntries(result.values) as Result);
  if (!later) return result;
  await ensureFacts(turn, actor, [later.read]);
  const found = later.result(turn.target.session.facts(actor));
  return { ...result, values: new Map([...result.values, ...resultValues(found, {})]) };
}

/** Whether what is read right after the steps will still hold when the other hosts have done the task, too. */
function staysFresh({ run, host, target }: ModuleTurn, effect: Effect): boolean {
  if (target !== host || effect === 'nothing') return false;
  return effect === 'host' || run.batch.every((one) => one === host || one.state !== 'active');
}

/** Remembers that a host's due handlers are noted on a target, to clear the note later. */
function noteOn(host: HostRun, target: HostRun, actor: Actor): void {
  host.notes.set(`${target.name} ${actorKey(actor)}`, { target, actor });
}

function finish(plan: Doing, outputs: readonly StepOutput[], diffs: ItemResult['diffs']): ItemResult {
  if (plan.kind === 'action') return outcomeResult(plan.finish(outputs));
  if (plan.finish) return outcomeResult(plan.finish(outputs), diffs);
  const missing = outputs.find((output) => output.kind === 'no-answer');
  if (missing) return failedResult(missing.message, plan.result);
  return okResult({ ...plan.result, ...backupOf(outputs, plan.result) }, true, diffs);
}

/** Modules that edit lines call it `backup`, the others `backup_file`. */
function backupOf(outputs: readonly StepOutput[], result: Result = {}): Result {
  const made = outputs.find((output) => output.kind === 'done' && output.backup !== undefined);
  if (made?.kind !== 'done') return {};
  return { ['backup' in result ? 'backup' : 'backup_file']: made.backup };
}
