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
import { isSelected } from './tags.ts';
import { type ModuleTurn, type Turn, turnOf, type Upcoming } from './turn.ts';
import type { ExtraLayers, HostRun, PlayRun } from './world.ts';

/** What must be known before the module can plan for the first time. */
export function neededFacts({ run, task, host }: Turn, prepared: Prepared): readonly FactQuery[] {
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
export function factsAhead(current: Turn, actor: Actor, supposing: Supposed): readonly FactQuery[] {
  const { run, host } = current;
  const { world } = run;
  if (!world.readsAhead) return [];
  const supposed = new Map<Value, Value>();
  suppose(current.task, supposing, supposed, scopeOf(run, host));
  const queries = new Map<string, FactQuery>();
  let left = host.window;
  world.readingAhead = true;
  try {
    for (const { task, extra, itemsDone } of tasksAhead(current.upcoming)) {
      if (left <= 0) break;
      const layers = supposed.size === 0 ? extra : [{ values: supposed, written: false }, ...extra];
      const turn = turnOf({ run, extra: layers, upcoming: undefined }, task, host);
      const items = queriesFor(turn, actor, { from: itemsDone, to: itemsDone + left });
      for (const one of items.flat()) queries.set(one.id, one);
      left -= Math.max(1, items.length);
      supposeDone(turn, supposed);
    }
  } finally {
    world.readingAhead = false;
  }
  return [...queries.values()];
}

/** What a task needs, item by item of its loop. */
function queriesFor(
  turn: Turn,
  actor: Actor,
  items: { readonly from: number; readonly to: number },
): readonly (readonly FactQuery[])[] {
  const { run, task, host, scope } = turn;
  if (isEngineAction(task.action.text) || task.delegateTo || !isSelected(task, run.world.settings)) return [];
  const found: (readonly FactQuery[])[] = [];
  try {
    if (!isLoopReady(task, scope)) return [];
    for (const item of itemScopes(task, scope).slice(items.from, items.to)) {
      if (!holds(task.when, item.scope, 'when')) continue;
      const prepared = prepare({ ...turn, scope: item.scope, target: host });
      if (actorKey(prepared.actor) !== actorKey(actor)) continue;
      found.push([...neededFacts(turn, prepared), ...neededNext(turn, prepared)]);
    }
  } catch {
    // It depends on what is not known yet (a registered result); the task itself will say what is wrong, if anything.
  }
  return found;
}

/** What a task is taken to come to before it is done. */
export interface Supposed {
  readonly changed: boolean;
}

/**
 * Until a task has registered its result, those after it are planned for as if it changed nothing: that holds in most
 * runs, and where it does not, a task asks for what it needs by itself.
 */
function supposeDone({ task, scope }: Turn, supposed: Map<Value, Value>): void {
  suppose(task, { changed: false }, supposed, scope);
  if (shortName(task.action.text) !== 'set_fact' || task.loop) return;
  try {
    if (!holds(task.when, scope, 'when')) return;
    for (const [name, value] of renderArguments(task, scope)) supposed.set(name, value);
  } catch {
    // It needs more than whether something changed; then so do the tasks that use it.
  }
}

function suppose(task: Task, { changed }: Supposed, supposed: Map<Value, Value>, scope: Scope): void {
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
function neededNext(turn: Turn, prepared: Prepared): readonly FactQuery[] {
  const facts = turn.host.session.facts(prepared.actor);
  if (!neededFacts(turn, prepared).every((one) => facts.has(one))) return [];
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
  turn: ModuleTurn,
  actor: Actor,
  queries: readonly FactQuery[],
): Promise<void> {
  const { session } = turn.target;
  const facts = session.facts(actor);
  const missing = queries.filter((one) => !facts.has(one));
  if (missing.length === 0) return;
  // What other tasks need is not to be paid from this one's limit in time.
  const ahead =
    actor.timeoutMs === undefined
      ? factsAhead({ ...turn, host: turn.target }, actor, { changed: false }).filter((one) => !facts.has(one))
      : [];
  await session.read(actor, [...missing, ...ahead]);
}
