import type { RoleContext, Task } from '../playbook/ast.ts';
import { learned } from './changed.ts';
import { activeHosts, EndOfPlay, type Failures, leave } from './failures.ts';
import { holds } from './prepare.ts';
import { scopeOf } from './scope.ts';
import type { HostRun, PlayRun } from './world.ts';

/** Does what a task `meta` says; `flush` runs the handlers that are due. */
export async function runMeta(
  run: PlayRun,
  task: Task,
  hosts: readonly HostRun[],
  flush: () => Promise<Failures>,
): Promise<Failures> {
  const what = task.freeForm?.text.trim() ?? '';
  const applies = (host: HostRun): boolean => holds(task.when, scopeOf(run, host, task), 'when');
  switch (what) {
    case 'noop':
      return new Map();
    case 'flush_handlers':
      return await flush();
    case 'end_play':
      if (hosts.some(applies)) throw new EndOfPlay();
      return new Map();
    case 'end_batch':
      if (hosts.some(applies)) for (const host of activeHosts(run)) leave(run, host, 'ended');
      return new Map();
    case 'end_host':
      for (const host of hosts) if (applies(host)) leave(run, host, 'ended');
      return new Map();
    case 'end_role':
      for (const host of hosts) {
        if (!task.role || !applies(host)) continue;
        const ended = run.endedRoles.get(host) ?? new Set<RoleContext>();
        run.endedRoles.set(host, ended.add(task.role));
      }
      return new Map();
    case 'clear_facts':
      for (const host of hosts) if (applies(host)) host.facts.clear();
      learned(run.world);
      return new Map();
    case 'clear_host_errors':
      // As in Ansible, they are back with the next play.
      if (hosts.some(applies))
        for (const host of run.allHosts)
          if (host.state === 'failed' || host.state === 'unreachable') leave(run, host, 'ended');
      return new Map();
    case 'refresh_inventory':
      return new Map();
    case 'reset_connection':
      await Promise.all(hosts.filter(applies).map((host) => host.session.disconnect()));
      return new Map();
    default:
      throw new Error(`meta: "${what}" passed validation`);
  }
}
