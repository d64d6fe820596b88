import type { RoleContext, Task } from '../playbook/ast.ts';
import type { HostRun, PlayRun } from './world.ts';

/** Of a role that stands twice in a play, only the first application that did anything on a host counts. */
export function hasRunRole(run: PlayRun, task: Task, host: HostRun): boolean {
  const key = task.role?.onceKey;
  const begun = key === undefined ? undefined : run.begunRoles.get(key)?.get(host);
  return begun !== undefined && begun !== task.role;
}

/** Whether `meta: end_role` ended the role, or one that brought it in, on a host. */
export function hasEndedRole(run: PlayRun, task: Task, host: HostRun): boolean {
  const ended = run.endedRoles.get(host);
  if (!ended) return false;
  for (let role = task.role; role; role = role.parent) if (ended.has(role)) return true;
  return false;
}

/** Remembers that a role has begun on a host. */
export function noteRole(run: PlayRun, task: Task, host: HostRun): void {
  const { role } = task;
  if (role?.onceKey === undefined) return;
  const hosts = run.begunRoles.get(role.onceKey) ?? new Map<HostRun, RoleContext>();
  if (!hosts.has(host)) hosts.set(host, role);
  run.begunRoles.set(role.onceKey, hosts);
}
