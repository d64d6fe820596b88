import { query, type FactQuery } from '../facts/fact.ts';
import { dueHandlers } from '../facts/due-handlers.ts';
import type { Task, TaskNode } from '../playbook/ast.ts';
import type { Value } from '../lib/value.ts';
import { isEngineAction, shortName } from '../validate/validate.ts';
import type { Scope } from '../variables/scope.ts';
import { isLoopReady, itemScopes } from './loop.ts';
import { holds, prepare, renderArguments, type Prepared } from './prepare.ts';
import { scopeOf } from './scope.ts';
import { actorKey, type Actor } from './host/actor.ts';
import type { HostSession } from './host/session.ts';
import { isSelected } from './tags.ts';
import type { ExtraLayers, HostRun, PlayRun } from './world.ts';

/** What is still to come: the rest of a list of tasks, then the rest of the list that it stands in. */
export interface Upcoming {
  readonly nodes: readonly TaskNode[];
  readonly from: number;
  readonly after: Upcoming | undefined;
  /** What these tasks see besides, such as the variables of the include that brought them in. */
  readonly extra?: ExtraLayers;
  /** Of the first task's loop, this many items are done. */
  readonly itemsDone?: number;
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
  current: Supposed,
): readonly FactQuery[] {
  const { world } = run;
  if (!world.readsAhead) return [];
  const supposed = new Map<Value, Value>();
  suppose(current.task, current.changed, supposed, scopeOf(run, host));
  const queries = new Map<string, FactQuery>();
  let left = host.window;
  world.readingAhead = true;
  try {
    for (const ahead of tasksAhead(upcoming)) {
      if (left <= 0) break;
      const { task, extra } = ahead;
      const layers = supposed.size === 0 ? extra : [{ values: supposed, written: false }, ...extra];
      const items = queriesFor(run, host, actor, ahead, layers, left);
      for (const one of items.flat()) queries.set(one.id, one);
      left -= Math.max(1, items.length);
      supposeDone(run, host, task, layers, supposed);
    }
  } finally {
    world.readingAhead = false;
  }
  return [...queries.values()];
}

/** What a task needs, item by item of its loop. */
function queriesFor(
  run: PlayRun,
  host: HostRun,
  actor: Actor,
  { task, itemsDone }: TaskAhead,
  extra: ExtraLayers,
  mostItems: number,
): readonly (readonly FactQuery[])[] {
  if (isEngineAction(task.action.text) || task.delegateTo || !isSelected(task, run.world.settings)) return [];
  const found: (readonly FactQuery[])[] = [];
  try {
    const scope = scopeOf(run, host, task, extra);
    if (!isLoopReady(task, scope)) return [];
    for (const item of itemScopes(task, scope).slice(itemsDone, itemsDone + mostItems)) {
      if (!holds(task.when, item.scope, 'when')) continue;
      const prepared = prepare(run, task, item.scope, host, host);
      if (actorKey(prepared.actor) !== actorKey(actor)) continue;
      found.push([...neededFacts(run, task, host, prepared), ...neededNext(run, task, host, prepared)]);
    }
  } catch {
    // It depends on what is not known yet (a registered result); the task itself will say what is wrong, if anything.
  }
  return found;
}

/** What a task is taken to come to before it is done. */
export interface Supposed {
  readonly task: Task;
  readonly changed: boolean;
}

/**
 * Until a task has registered its result, those after it are planned for as if it changed nothing: that holds in most
 * runs, and where it does not, a task asks for what it needs by itself.
 */
function supposeDone(
  run: PlayRun,
  host: HostRun,
  task: Task,
  extra: ExtraLayers,
  supposed: Map<Value, Value>,
): void {
  const scope = scopeOf(run, host, task, extra);
  suppose(task, false, supposed, scope);
  if (shortName(task.action.text) !== 'set_fact' || task.loop) return;
  try {
    if (!holds(task.when, scope, 'when')) return;
    for (const [name, value] of renderArguments(task, scope)) supposed.set(name, value);
  } catch {
    // It needs more than whether something changed; then so do the tasks that use it.
  }
}

function suppose(task: Task, changed: boolean, supposed: Map<Value, Value>, scope: Scope): void {
  if (task.register === undefined || scope.has(task.register)) return;
  supposed.set(
    task.register,
    new Map<Value, Value>([
      ['changed', changed],
      ['failed', false],
      ...(task.loop ? [['results', []] as const] : []),
    ]),
  );
}

/** What a module asks for once it has seen what it needs first. */
function neededNext(run: PlayRun, task: Task, host: HostRun, prepared: Prepared): readonly FactQuery[] {
  const facts = host.session.facts(prepared.actor);
  if (!neededFacts(run, task, host, prepared).every((one) => facts.has(one))) return [];
  const plan = prepared.module.plan(prepared.args, facts, prepared.context);
  return plan.kind === 'need' ? plan.facts : [];
}

interface TaskAhead {
  readonly task: Task;
  readonly extra: ExtraLayers;
  readonly itemsDone: number;
}

function* tasksAhead(upcoming: Upcoming | undefined): Generator<TaskAhead> {
  for (let place = upcoming; place; place = place.after) {
    const { extra = [] } = place;
    let { itemsDone = 0 } = place;
    for (const node of place.nodes.slice(place.from)) {
      for (const task of tasksIn(node)) {
        yield { task, extra, itemsDone };
        itemsDone = 0;
      }
    }
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
  task: Task,
): Promise<void> {
  const facts = session.facts(actor);
  const missing = queries.filter((one) => !facts.has(one));
  if (missing.length === 0) return;
  // What other tasks need is not to be paid from this one's limit in time.
  const ahead =
    session === host.session && actor.timeoutMs === undefined
      ? factsAhead(run, host, actor, upcoming, { task, changed: false }).filter((one) => !facts.has(one))
      : [];
  await session.read(actor, [...missing, ...ahead]);
}
