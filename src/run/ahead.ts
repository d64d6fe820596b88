import { query, type FactQuery } from '../facts/fact.ts';
import { dueHandlers } from '../facts/due-handlers.ts';
import type { Task, TaskNode } from '../playbook/ast.ts';
import { isEngineAction } from '../plan/validate.ts';
import { isLoopReady, itemScopes } from './loop.ts';
import { holds, prepare, type Prepared } from './prepare.ts';
import { scopeOf } from './scope.ts';
import { actorKey, type Actor, type HostSession } from './session.ts';
import { isSelected } from './tags.ts';
import type { HostRun, PlayRun } from './world.ts';

/** What is still to come: the rest of a list of tasks, then the rest of the list that it stands in. */
export interface Upcoming {
  readonly nodes: readonly TaskNode[];
  readonly from: number;
  readonly after: Upcoming | undefined;
}

/** What must be known before the module can plan for the first time. */
export function neededFacts(
  run: PlayRun,
  task: Task,
  host: HostRun,
  prepared: Prepared,
): readonly FactQuery[] {
  const queries = prepared.module.facts(prepared.args, prepared.context);
  return task.notify.length > 0 ? [...queries, dueHandlersQuery(run, host)] : queries;
}

/** Asks for the handlers that an interrupted run of this playbook left due for a host. */
export function dueHandlersQuery(run: PlayRun, host: HostRun): FactQuery<readonly string[]> {
  return query(dueHandlers, noteOf(run, host));
}

/** The name of the note of a host's due handlers: several hosts of an inventory may be one machine. */
export function noteOf(run: PlayRun, host: HostRun): string {
  return `${run.world.playbookId}@${host.name}`;
}

/**
 * The facts that the tasks to come will ask for on a host as one user, as far as their arguments are known already.
 * Planning for them has no effect; a task that cannot be planned for yet is left out and will ask for itself.
 */
export function factsAhead(
  run: PlayRun,
  host: HostRun,
  actor: Actor,
  upcoming: Upcoming | undefined,
): readonly FactQuery[] {
  const { world } = run;
  const queries = new Map<string, FactQuery>();
  let left = host.window;
  world.readingAhead = true;
  try {
    for (const task of tasksAhead(upcoming)) {
      if (left-- <= 0) break;
      for (const one of queriesFor(run, host, actor, task)) queries.set(one.id, one);
    }
  } finally {
    world.readingAhead = false;
  }
  return [...queries.values()];
}

function queriesFor(run: PlayRun, host: HostRun, actor: Actor, task: Task): readonly FactQuery[] {
  if (isEngineAction(task.action.text) || task.delegateTo || !isSelected(task, run.world.settings)) return [];
  const found: FactQuery[] = [];
  try {
    const scope = scopeOf(run, host, task);
    if (!isLoopReady(run, task, scope)) return [];
    for (const item of itemScopes(run, task, scope)) {
      if (!holds(task.when, item.scope, run, task, 'when')) continue;
      const prepared = prepare(run, task, item.scope, host, host);
      if (actorKey(prepared.actor) !== actorKey(actor)) continue;
      found.push(...neededFacts(run, task, host, prepared));
    }
  } catch {
    // It depends on what is not known yet (a registered result); the task itself will say what is wrong, if anything.
  }
  return found;
}

function* tasksAhead(upcoming: Upcoming | undefined): Generator<Task> {
  for (let place = upcoming; place; place = place.after) {
    for (const node of place.nodes.slice(place.from)) yield* tasksIn(node);
  }
}

function* tasksIn(node: TaskNode): Generator<Task> {
  if (node.kind === 'task') {
    yield node;
    return;
  }
  for (const inner of node.block) yield* tasksIn(inner);
  for (const inner of node.always) yield* tasksIn(inner);
}

/** Makes sure that the facts are known: those that are not are read, along with what the tasks to come will need. */
export async function ensureFacts(
  run: PlayRun,
  host: HostRun,
  session: HostSession,
  actor: Actor,
  queries: readonly FactQuery[],
  upcoming: Upcoming | undefined,
): Promise<void> {
  const facts = session.facts(actor);
  const missing = queries.filter((one) => !facts.has(one));
  if (missing.length === 0) return;
  const ahead =
    session === host.session ? factsAhead(run, host, actor, upcoming).filter((one) => !facts.has(one)) : [];
  await session.read(actor, [...missing, ...ahead]);
}
