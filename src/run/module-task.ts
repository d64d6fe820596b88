import { noteHandlers } from '../facts/due-handlers.ts';
import { unreachable } from '../lib/errors.ts';
import type { Plan } from '../steps/plan.ts';
import type { StepOutput } from '../steps/step.ts';
import type { Scope } from '../variables/scope.ts';
import type { Task } from '../playbook/ast.ts';
import { dueHandlersQuery, ensureFacts, factsAhead, neededFacts, noteOf, type Upcoming } from './ahead.ts';
import { narrowWindow, widenWindow } from './window.ts';
import { handlersNotifiedBy } from './handlers.ts';
import { prepare, type Prepared } from './prepare.ts';
import { failedResult, okResult, outcomeResult, skippedResult, type ItemResult } from './result.ts';
import { actorKey, type Actor } from './host/actor.ts';
import { StepFailure } from './host/step-failure.ts';
import type { HostRun, PlayRun } from './world.ts';

/** How often a module may ask for more facts before that counts as a bug. */
const MOST_ROUNDS = 8;

export interface ModulePass {
  readonly run: PlayRun;
  readonly task: Task;
  readonly scope: Scope;
  /** Whose task it is. */
  readonly host: HostRun;
  /** Where it happens: another host when it is delegated. */
  readonly target: HostRun;
  readonly upcoming: Upcoming | undefined;
}

/** Plans a module's task on a host and does what the plan says. */
export async function runModule(pass: ModulePass): Promise<ItemResult> {
  const { run, task, scope, host, target } = pass;
  const prepared = prepare(run, task, scope, target, host);
  const plan = await planWithFacts(pass, prepared);
  switch (plan.kind) {
    case 'unchanged':
      widenWindow(target);
      return okResult(plan.result ?? {}, false);
    case 'skipped':
      return skippedResult(plan.message, plan.result);
    case 'failed':
      return failedResult(plan.message, plan.result);
    case 'change':
    case 'action':
      return await carryOut(pass, prepared, plan);
    case 'need':
      throw new Error(`${prepared.module.name} still asks for facts after ${MOST_ROUNDS} rounds`);
    default:
      return unreachable(plan);
  }
}

async function planWithFacts(pass: ModulePass, prepared: Prepared): Promise<Plan> {
  const { run, task, target, upcoming } = pass;
  const { module, args, actor, context } = prepared;
  const facts = target.session.facts(actor);
  let needed = neededFacts(run, task, pass.host, prepared);
  let plan: Plan = { kind: 'need', facts: needed };
  for (let round = 0; round < MOST_ROUNDS && plan.kind === 'need'; round++) {
    needed = [...needed, ...plan.facts];
    await ensureFacts(run, target, target.session, actor, needed, upcoming, task);
    plan = module.plan(args, facts, context);
  }
  if (task.notify.length > 0) {
    const due = facts.get(dueHandlersQuery(run, pass.host));
    if (due.length > 0) noteOn(pass.host, target, actor);
    for (const name of due) {
      if (run.handlers.some((handler) => handler.key === name)) {
        pass.host.notified.add(name);
        // An earlier play could not run it, and this one will.
        pass.host.owed.delete(name);
      } else pass.host.owed.add(name);
    }
  }
  return plan;
}

type Doing = Extract<Plan, { kind: 'change' | 'action' }>;

async function carryOut(pass: ModulePass, prepared: Prepared, plan: Doing): Promise<ItemResult> {
  const { run, task, target, host } = pass;
  const { actor, context } = prepared;
  const { world } = run;
  const diffs = plan.kind === 'change' && context.diffMode ? plan.diffs : undefined;
  if (context.checkMode) {
    if (plan.kind === 'change') return okResult(plan.result ?? {}, true, diffs);
    if (plan.inCheckMode === 'skip') return skippedResult('not run in check mode');
  }

  const mayChange = plan.kind === 'change' || plan.mayChange;
  // Whether an action changed anything is often for the task to say, afterwards; then nothing is read for the next
  // tasks before that is known, since what was read before probably still holds.
  const surelyChanges = plan.kind === 'change' || (plan.mayChange && !task.changedWhen);
  if (surelyChanges) narrowWindow(target);
  const notified = surelyChanges ? handlersNotifiedBy(run, task, pass.scope) : [];
  if (notified.length > 0) noteOn(host, target, actor);
  const ownHost = target === host;
  try {
    const outputs = await target.session.apply(actor, plan.steps, {
      refresh:
        surelyChanges && ownHost ? factsAhead(run, host, actor, pass.upcoming, { task, changed: true }) : [],
      before: notified.length > 0 ? noteHandlers(noteOf(run, host), notified) : undefined,
      onLine: (line) => world.emit({ type: 'progress', host: host.name, line }),
    });
    const result = finish(plan, outputs, diffs);
    if (surelyChanges) world.changes++;
    // The handlers were noted in case it changed; what is noted and not due is cleared at the next flush.
    if (surelyChanges && !ownHost) target.session.forget();
    return mayChange && !surelyChanges ? { ...result, mayHaveChanged: true } : result;
  } catch (error) {
    // A step that failed may have done a part of its work.
    target.session.forget();
    world.changes++;
    if (!(error instanceof StepFailure)) throw error;
    return failedResult(error.message, { rc: error.status, stderr: error.output }, error.output);
  }
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
  return okResult(plan.result ?? {}, true, diffs);
}
