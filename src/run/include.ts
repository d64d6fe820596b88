import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import type { Problem } from '../lib/errors.ts';
import { toPlain, type Dict } from '../lib/value.ts';
import type { Layer } from '../variables/scope.ts';
import type { Task, TaskNode } from '../playbook/ast.ts';
import { loadRole } from '../playbook/role.ts';
import { loadIncludedTasks } from '../playbook/task-file.ts';
import { isTruthy } from '../template/render.ts';
import { shortName } from '../validate/validate.ts';
import { learned, setVariable } from './changed.ts';
import { collectHandlers } from './handlers.ts';
import { itemsOrSkip, type Item } from './loop.ts';
import { holds, keywordFlag, renderArguments } from './prepare.ts';
import { failedResult, okResult, skippedResult } from './result.ts';
import type { TaskEnd } from './task.ts';
import { taskName } from './task-name.ts';
import { explainError, TaskError } from './task-error.ts';
import { type Place, type Turn, turnOf } from './turn.ts';
import type { Handler, HostRun, PlayRun } from './world.ts';

/** Tasks that an include brought in, and the hosts that run them. */
export interface IncludedGroup {
  readonly nodes: readonly TaskNode[];
  readonly hosts: readonly HostRun[];
  readonly layers: readonly Layer[];
  readonly handlers: readonly Handler[];
}

/** What an include comes to: the tasks it brings in, and how it ended on each host. */
export interface Expansion {
  readonly groups: readonly IncludedGroup[];
  readonly ends: ReadonlyMap<HostRun, TaskEnd>;
}

interface Wish {
  readonly hosts: HostRun[];
  readonly args: Dict;
  readonly layers: readonly Layer[];
  readonly order: number;
}

/**
 * Works out what an include brings in on each host. Hosts that include the same with the same loop item run it
 * together, in the order in which the items first appear.
 */
export function expandInclude(place: Place, task: Task, hosts: readonly HostRun[]): Expansion {
  const { run } = place;
  const wishes = new Map<string, Wish>();
  const reports = new Map<HostRun, ItemReport[]>();
  const failed = new Map<HostRun, TaskError>();
  for (const host of hosts) {
    const items: ItemReport[] = [];
    reports.set(host, items);
    try {
      collect(turnOf(place, task, host), wishes, items);
    } catch (error) {
      failed.set(host, explainError(error, task.at, task.action.text));
    }
  }
  const groups = [...wishes.values()]
    .sort((one, other) => one.order - other.order)
    .flatMap(({ args, hosts: wanting, layers }): IncludedGroup[] => {
      const able = wanting.filter((host) => !failed.has(host));
      if (able.length === 0) return [];
      try {
        return [{ ...load(run, task, args), hosts: able, layers }];
      } catch (error) {
        const explained = explainError(error, task.at, task.action.text);
        for (const host of able) failed.set(host, explained);
        return [];
      }
    });
  const ends = new Map<HostRun, TaskEnd>();
  for (const host of hosts) {
    const turn = turnOf(place, task, host);
    ends.set(host, reportInclude(turn, reports.get(host) ?? [], failed.get(host)));
  }
  return { groups, ends };
}

interface ItemReport {
  readonly label: string | undefined;
  readonly included: boolean;
}

function collect({ task, host, scope }: Turn, wishes: Map<string, Wish>, reports: ItemReport[]): void {
  const items = itemsOrSkip(task, scope);
  for (const [order, item] of items.entries()) {
    const included = holds(task.when, item.scope, 'when');
    reports.push({ label: task.loop ? item.label : undefined, included });
    if (!included) continue;
    const args = renderArguments(task, item.scope);
    const key = JSON.stringify([order, toPlain(args), item.value === undefined ? null : toPlain(item.value)]);
    const wish = wishes.get(key);
    if (wish) wish.hosts.push(host);
    else wishes.set(key, { hosts: [host], args, layers: itemLayers(item), order });
  }
}

/** How the include ended on a host, registered and reported as any task's result is. */
function reportInclude(
  { run, task, host, scope }: Turn,
  items: readonly ItemReport[],
  error: TaskError | undefined,
): TaskEnd {
  const { world } = run;
  const tell = (status: TaskEnd['status'], more: { item?: string; message?: string; ignored?: true }): void =>
    world.emit({
      type: 'result',
      host: host.name,
      task: taskName(run, task, host),
      module: task.action.text,
      status,
      ...(more.item === undefined ? {} : { item: more.item }),
      ...(more.message === undefined ? {} : { message: more.message }),
      ...(more.ignored ? { ignored: true } : {}),
      ms: 0,
    });
  const end = (status: TaskEnd['status'], result: Dict, ignored = false): TaskEnd => {
    if (task.register !== undefined) {
      setVariable(world, host, task.register, result);
    }
    return { status, values: result, ignored };
  };
  if (error) {
    const ignored = keywordFlag(task.ignoreErrors, scope, 'ignore_errors') ?? false;
    tell('failed', { message: error.message, ...(ignored ? { ignored } : {}) });
    return end('failed', failedResult(error.message).values, ignored);
  }
  for (const { label, included } of items)
    if (label !== undefined) tell(included ? 'ok' : 'skipped', { item: label });
  const any = items.some((item) => item.included);
  if (items.every((item) => item.label === undefined)) tell(any ? 'ok' : 'skipped', {});
  // Like Ansible, a loop counts each file that it includes.
  host.counts.ok += Math.max(0, items.filter((item) => item.included).length - 1);
  return any
    ? end('ok', okResult({}, false).values)
    : end('skipped', skippedResult('Conditional result was False').values);
}

function itemLayers(item: Item): readonly Layer[] {
  return item.layer ? [item.layer] : [];
}

function load(
  run: PlayRun,
  task: Task,
  args: ReturnType<typeof renderArguments>,
): { nodes: readonly TaskNode[]; handlers: readonly Handler[] } {
  const text = (name: string): string | undefined => {
    const value = args.get(name);
    return value === undefined || value === null ? undefined : String(value);
  };
  if (shortName(task.action.text) === 'include_tasks') {
    const file = text('file');
    if (file === undefined) throw new TaskError('include_tasks: expected the name of a file');
    const included = loadIncludedTasks(findTasks(run, task, file), task, run.world.loaderOptions);
    warn(run, included.warnings);
    run.addedRoles.push(...included.roles);
    return { nodes: included.tasks, handlers: collectHandlers(included.handlers) };
  }
  const name = text('name') ?? text('role');
  if (name === undefined) throw new TaskError('include_role: "name" is required');
  const loaded = loadRole(
    name,
    task,
    {
      tasksFrom: text('tasks_from'),
      varsFrom: text('vars_from'),
      defaultsFrom: text('defaults_from'),
      handlersFrom: text('handlers_from'),
    },
    run.world.loaderOptions,
  );
  warn(run, loaded.warnings);
  // Without `public`, an included role's variables are seen by its own tasks alone.
  if (isTruthy(args.get('public') ?? false)) {
    run.addedRoles.push(...loaded.roles);
    learned(run.world);
  }
  return { nodes: loaded.tasks, handlers: collectHandlers(loaded.handlers) };
}

function warn(run: PlayRun, warnings: readonly Problem[]): void {
  for (const { message, location } of warnings) {
    run.world.emit({ type: 'warning', message, ...(location ? { at: location } : {}) });
  }
}

/** An included file stands beside the file that includes it, in the role's tasks/, or beside the playbook. */
function findTasks(run: PlayRun, task: Task, file: string): string {
  const candidates = [
    resolve(dirname(task.at.file), file),
    ...(task.role ? [join(task.role.directory, 'tasks', file), join(task.role.directory, file)] : []),
    join(run.world.playbook.directory, 'tasks', file),
    join(run.world.playbook.directory, file),
  ];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined)
    throw new TaskError(`include_tasks: there is no ${file}; looked for ${candidates.join(', ')}`);
  return found;
}
