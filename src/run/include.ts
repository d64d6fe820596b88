import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import type { Problem } from '../lib/errors.ts';
import { toPlain, type Value } from '../lib/value.ts';
import type { Layer } from '../plan/variables.ts';
import type { Task, TaskNode } from '../playbook/ast.ts';
import { loadRole } from '../playbook/role.ts';
import { loadIncludedTasks } from '../playbook/task-file.ts';
import { isTruthy } from '../template/render.ts';
import { shortName } from '../plan/validate.ts';
import { collectHandlers } from './handlers.ts';
import { itemScopes } from './loop.ts';
import { holds, renderArguments } from './prepare.ts';
import { scopeOf } from './scope.ts';
import { explainError, TaskError } from './task-error.ts';
import type { ExtraLayers, Handler, HostRun, PlayRun } from './world.ts';

/** Tasks that an include brought in, and the hosts that run them. */
export interface IncludedGroup {
  readonly nodes: readonly TaskNode[];
  readonly hosts: readonly HostRun[];
  readonly layers: readonly Layer[];
  readonly handlers: readonly Handler[];
}

/**
 * Works out what an include brings in on each host. Hosts that include the same with the same loop item run it
 * together, in the order in which the items first appear.
 */
export function expandInclude(
  run: PlayRun,
  task: Task,
  hosts: readonly HostRun[],
  extra: ExtraLayers,
  onFailure: (host: HostRun, error: TaskError) => void,
): readonly IncludedGroup[] {
  const groups = new Map<
    string,
    { hosts: HostRun[]; args: ReturnType<typeof renderArguments>; layers: Layer[]; order: number }
  >();
  for (const host of hosts) {
    try {
      const scope = scopeOf(run, host, task, extra);
      itemScopes(run, task, scope).forEach((item, order) => {
        if (!holds(task.when, item.scope, run, task, 'when')) return;
        const args = renderArguments(run, task, item.scope, { freeForm: '_raw_params' });
        const key = JSON.stringify([
          order,
          toPlain(args),
          item.value === undefined ? null : toPlain(item.value),
        ]);
        const group = groups.get(key);
        if (group) group.hosts.push(host);
        else groups.set(key, { hosts: [host], args, layers: itemLayers(task, item.value), order });
      });
    } catch (error) {
      const explained = explainError(error, task.at, task.action.text);
      onFailure(host, explained);
    }
  }
  return [...groups.values()]
    .sort((one, other) => one.order - other.order)
    .flatMap((group): IncludedGroup[] => {
      try {
        return [{ ...load(run, task, group.args), hosts: group.hosts, layers: group.layers }];
      } catch (error) {
        const explained = explainError(error, task.at, task.action.text);
        for (const host of group.hosts) onFailure(host, explained);
        return [];
      }
    });
}

function itemLayers(task: Task, value: Value | undefined): Layer[] {
  if (!task.loop || value === undefined) return [];
  return [{ values: new Map([[task.loop.variable, value]]), written: false }];
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
    const file = text('file') ?? text('_raw_params');
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
    run.world.knowledge++;
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
