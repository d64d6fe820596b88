import { mapLimit } from '../lib/concurrency.ts';
import type { Task } from '../playbook/ast.ts';
import { loadModulesOf } from '../validate/load-modules.ts';
import { shortName } from '../validate/validate.ts';
import { setVariable } from './changed.ts';
import { failureOf, type Failures } from './failures.ts';
import { keyword, keywordFlag } from './prepare.ts';
import { noteRole } from './role-runs.ts';
import { announce, count } from './tally.ts';
import { runTaskOnHost, type TaskEnd } from './task.ts';
import { type Place, turnOf } from './turn.ts';
import type { HostRun } from './world.ts';

/** Actions that Ansible does once for all hosts. */
const RUN_ONCE = ['add_host', 'pause'];

/** Runs a task or a handler on hosts; gives back those that are out. */
export async function runOnHosts(place: Place, task: Task, hosts: readonly HostRun[]): Promise<Failures> {
  const { run } = place;
  const { world } = run;
  const first = hosts[0];
  if (!first) return new Map();
  await loadModulesOf([task]);
  const { scope } = turnOf(place, task, first);
  const once = RUN_ONCE.includes(shortName(task.action.text))
    ? true
    : (keywordFlag(task.runOnce, scope, 'run_once') ?? false);
  const doing = once ? [first] : hosts;
  announce(place, task, doing);
  const throttle = Number(keyword(task.throttle, scope, 'throttle') ?? 0);
  const limit = throttle > 0 ? Math.min(throttle, world.settings.forks) : world.settings.forks;
  const ends = await mapLimit(doing, limit, (host) => runTaskOnHost(turnOf(place, task, host)));
  const failures: Failures = new Map();
  doing.forEach((host, index) => {
    const end = ends[index] as TaskEnd;
    count(host, end);
    if (end.status !== 'skipped') noteRole(run, task, host);
    const failure = failureOf(task, end);
    if (once) {
      // The other hosts take over what the one found, or fail with it.
      for (const other of hosts) {
        if (other !== host && task.register !== undefined)
          setVariable(world, other, task.register, end.values);
        if (failure && other !== host) failures.set(other, { ...failure, own: false });
        else if (failure) failures.set(host, failure);
      }
    } else if (failure) failures.set(host, failure);
  });
  const fatal = keywordFlag(task.anyErrorsFatal, scope, 'any_errors_fatal') ?? false;
  if (fatal && failures.size > 0) {
    const [failure] = failures.values();
    for (const host of hosts)
      if (failure && !failures.has(host)) failures.set(host, { ...failure, own: false });
  }
  return failures;
}
