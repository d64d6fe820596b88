import type { Task } from '../playbook/ast.ts';
import { shortName } from '../validate/validate.ts';
import type { TaskEnd } from './task.ts';
import { taskName } from './task-name.ts';
import type { Place } from './turn.ts';
import type { HostRun } from './world.ts';

/** Says that a task begins. */
export function announce({ run, asHandlers }: Place, task: Task, hosts: readonly HostRun[]): void {
  run.world.emit({
    type: 'task',
    name: taskName(run, task, hosts[0]),
    ...(task.role && shortName(task.action.text) !== 'include_role' ? { role: task.role.name } : {}),
    module: task.action.text,
    handler: asHandlers ?? false,
    at: task.at,
    hosts: hosts.map((host) => host.name),
  });
}

/** Counts how a task ended on a host, for the recap. */
export function count(host: HostRun, end: TaskEnd): void {
  const { counts } = host;
  if (end.status === 'skipped') counts.skipped++;
  else if ((end.status === 'failed' || end.status === 'unreachable') && end.ignored) {
    counts.ok++;
    counts.ignored++;
    if (end.values.get('changed') === true) counts.changed++;
  } else if (end.status === 'unreachable') counts.unreachable++;
  else if (end.status === 'failed') counts.failed++;
  else {
    counts.ok++;
    if (end.status === 'changed') counts.changed++;
  }
}
