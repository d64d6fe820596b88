import type { Value } from '../lib/value.ts';
import type { Block, Task, TaskNode } from '../playbook/ast.ts';
import { loadModulesOf } from '../validate/load-modules.ts';
import { shortName } from '../validate/validate.ts';
import { setVariable } from './changed.ts';
import { activeHosts, checkLimits, failureOf, type Failures, settle } from './failures.ts';
import { flatTasks } from './handlers.ts';
import { expandInclude } from './include.ts';
import { runMeta } from './meta.ts';
import { clearNotes } from './notes.ts';
import { playFlag } from './play-value.ts';
import { keywordFlag } from './prepare.ts';
import { hasEndedRole, hasRunRole } from './role-runs.ts';
import { runOnHosts } from './run-on-hosts.ts';
import { startsAt } from './start-at.ts';
import { isSelected } from './tags.ts';
import { announce, count } from './tally.ts';
import { taskName } from './task-name.ts';
import { type Place, turnOf, type Upcoming } from './turn.ts';
import type { Handler, HostRun, PlayRun } from './world.ts';

/**
 * Runs tasks in Ansible's linear order: every host has done a task before any begins the next. A task that is already
 * right on all hosts costs no I/O, so the waiting costs nothing where there is nothing to do.
 */
export async function runSection(
  run: PlayRun,
  nodes: readonly TaskNode[],
  after: Upcoming | undefined,
): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    const hosts = activeHosts(run);
    if (hosts.length === 0 || run.world.signal.aborted) break;
    // What fails here is not rescued any more: the host is out before the next task begins.
    const place: Place = { run, extra: [], upcoming: { nodes, from: index + 1, after } };
    settle(run, await runNodes(place, [node], hosts));
  }
}

async function runNodes(
  place: Place,
  nodes: readonly TaskNode[],
  hosts: readonly HostRun[],
): Promise<Failures> {
  const { run, extra, upcoming: after } = place;
  const failures: Failures = new Map();
  let active = hosts;
  for (const [index, node] of nodes.entries()) {
    active = active.filter((host) => host.state === 'active' && !failures.has(host));
    if (active.length === 0 || run.world.signal.aborted) break;
    const here: Place = { ...place, upcoming: { nodes, from: index + 1, after, extra } };
    const failed =
      node.kind === 'block' ? await runBlock(here, node, active) : await runTask(here, node, active);
    for (const [host, failure] of failed) failures.set(host, failure);
    if (failed.size > 0) checkLimits(run, failures);
  }
  return failures;
}

async function runBlock(place: Place, block: Block, hosts: readonly HostRun[]): Promise<Failures> {
  const { run, extra, upcoming: after } = place;
  const beforeAlways: Place = { ...place, upcoming: { nodes: block.always, from: 0, after, extra } };
  const guarded = block.rescue.length > 0;
  const failures = await runNodes(beforeAlways, block.block, hosts);
  if (guarded && !run.world.signal.aborted) {
    const rescued = [...failures].filter(([, failure]) => failure.kind === 'failed').map(([host]) => host);
    for (const host of rescued) {
      const failure = failures.get(host);
      if (!failure) continue;
      failures.delete(host);
      setVariable(run.world, host, 'ansible_failed_result', failure.values);
      setVariable(
        run.world,
        host,
        'ansible_failed_task',
        new Map<Value, Value>([
          ['name', failure.task.name?.text ?? ''],
          ['action', failure.task.action.text],
        ]),
      );
      if (failure.own) {
        host.counts.failed--;
        host.counts.rescued++;
      }
    }
    if (rescued.length > 0) {
      const again = await runNodes(beforeAlways, block.rescue, rescued);
      for (const [host, failure] of again) failures.set(host, failure);
    }
  }
  if (block.always.length > 0) {
    // Hosts that failed do this part too, before they leave; those that cannot be reached cannot.
    const reachable = hosts.filter((host) => failures.get(host)?.kind !== 'unreachable');
    const last = await runNodes(place, block.always, reachable);
    for (const [host, failure] of last) failures.set(host, failure);
  }
  return failures;
}

async function runTask(place: Place, task: Task, hosts: readonly HostRun[]): Promise<Failures> {
  const { run, upcoming } = place;
  const { world } = run;
  if (!isSelected(task, world.settings)) return new Map();
  if (!world.started) {
    if (startsAt(world.settings.startAtTask, task, taskName(run, task, hosts[0]))) world.started = true;
    else if (!task.implicit) return new Map();
  }
  const fresh = hosts.filter((host) => !hasRunRole(run, task, host) && !hasEndedRole(run, task, host));
  if (fresh.length < hosts.length) return await runTask(place, task, fresh);
  const action = shortName(task.action.text);
  if (action === 'meta')
    return await runMeta(run, task, hosts, async () => await flushHandlers(run, upcoming));
  if (action === 'include_tasks' || action === 'include_role') return await runInclude(place, task, hosts);
  return await runOnHosts(place, task, hosts);
}

async function runInclude(place: Place, task: Task, hosts: readonly HostRun[]): Promise<Failures> {
  const { run } = place;
  const [first] = hosts;
  if (!first) return new Map();
  const { scope } = turnOf(place, task, first);
  const doing = keywordFlag(task.runOnce, scope, 'run_once') ? [first] : hosts;
  announce(place, task, doing);
  const { groups, ends } = expandInclude(place, task, doing);
  const failures: Failures = new Map();
  for (const [host, end] of ends) {
    count(host, end);
    const failure = failureOf(task, end);
    if (failure) failures.set(host, failure);
  }
  for (const group of groups) {
    const active = group.hosts.filter((host) => !failures.has(host) && host.state === 'active');
    for (const added of group.handlers)
      if (!run.handlers.some((known) => known.key === added.key)) run.handlers.push(added);
    await loadModulesOf(group.nodes);
    const inside: Place = { ...place, extra: [...group.layers, ...place.extra] };
    const failed = place.asHandlers
      ? await runHandlerNodes(inside, group.nodes, active)
      : await runNodes(inside, group.nodes, active);
    for (const [host, failure] of failed) failures.set(host, failure);
  }
  return failures;
}

/** The tasks that a handler includes are handlers, too: they run whatever the tags. */
async function runHandlerNodes(
  place: Place,
  nodes: readonly TaskNode[],
  hosts: readonly HostRun[],
): Promise<Failures> {
  const failures: Failures = new Map();
  for (const task of flatTasks(nodes)) {
    const active = hosts.filter((host) => !failures.has(host));
    const failed = await runOnHosts(place, task, active);
    for (const [host, failure] of failed) failures.set(host, failure);
  }
  return failures;
}

/**
 * Runs the handlers that are due, in the order of their definition; those that they notify run as well, once all have
 * had their turn.
 */
export async function flushHandlers(run: PlayRun, upcoming: Upcoming | undefined): Promise<Failures> {
  const place: Place = { run, extra: [], upcoming, asHandlers: true };
  const failures: Failures = new Map();
  const isDue = (host: HostRun, { key }: Handler): boolean =>
    canHandle(run, host) && !failures.has(host) && host.notified.has(key);
  for (let again = true; again && !run.world.signal.aborted;) {
    again = false;
    for (const handler of run.handlers) {
      const due = run.batch.filter((host) => isDue(host, handler));
      if (due.length === 0 || run.world.signal.aborted) continue;
      again = true;
      for (const host of due) host.notified.delete(handler.key);
      const failed = await runHandler(place, handler.task, due);
      for (const [host, failure] of failed) {
        failures.set(host, failure);
        host.notified.add(handler.key);
      }
      if (failed.size > 0) checkLimits(run, failures);
    }
  }
  if (!run.world.settings.checkMode && !run.world.signal.aborted) await clearNotes(run);
  return failures;
}

async function runHandler(place: Place, task: Task, hosts: readonly HostRun[]): Promise<Failures> {
  const { run, upcoming } = place;
  const action = shortName(task.action.text);
  if (action === 'meta')
    return await runMeta(run, task, hosts, async () => await flushHandlers(run, upcoming));
  if (action === 'include_tasks' || action === 'include_role') return await runInclude(place, task, hosts);
  return await runOnHosts(place, task, hosts);
}

/** Hosts that failed still run their handlers when asked to; others leave them noted for the next run. */
function canHandle(run: PlayRun, host: HostRun): boolean {
  return host.state === 'active' || (host.state === 'failed' && forcesHandlers(run, host));
}

function forcesHandlers(run: PlayRun, host: HostRun): boolean {
  return run.world.settings.forceHandlers || (playFlag(run, host, run.play.forceHandlers) ?? false);
}
