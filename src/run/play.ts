import { UserError } from '../lib/errors.ts';
import type { Value } from '../lib/value.ts';
import type { Block, RoleContext, Task, TaskNode } from '../playbook/ast.ts';
import { loadModulesOf } from '../plan/load-modules.ts';
import { shortName } from '../plan/validate.ts';
import type { Upcoming } from './ahead.ts';
import { flatTasks } from './handlers.ts';
import { expandInclude } from './include.ts';
import { mapLimit } from './limit.ts';
import { holds, keyword, keywordFlag } from './prepare.ts';
import { playFlag, playValue } from './play-value.ts';
import { scopeOf } from './scope.ts';
import { hasEndedRole, hasRunRole, noteRole } from './role-runs.ts';
import { clearNotes } from './notes.ts';
import { startsAt } from './start-at.ts';
import { isSelected } from './tags.ts';
import { runTaskOnHost, type TaskEnd } from './task.ts';
import { taskName } from './task-name.ts';
import { announce, count } from './tally.ts';
import type { ExtraLayers, Handler, HostRun, PlayRun } from './world.ts';

/** The play is to go no further: too many hosts failed, or `meta` said so. */
export class EndOfPlay extends Error {
  readonly reason: string | undefined;

  constructor(reason?: string) {
    super(reason ?? 'end of play');
    this.reason = reason;
  }
}

/** Why a host left a list of tasks; a block's rescue may take it up. */
interface Failure {
  readonly kind: 'failed' | 'unreachable';
  /** False for a host that is out because of another's failure (any_errors_fatal, run_once). */
  readonly own: boolean;
  readonly task: Task;
  readonly values: TaskEnd['values'];
}

type Failures = Map<HostRun, Failure>;

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
    settle(run, await runNodes(run, [node], hosts, { nodes, from: index + 1, after }, []));
  }
}

/** The hosts of the batch that are still in it. */
export function activeHosts(run: PlayRun): readonly HostRun[] {
  return run.batch.filter((host) => host.state === 'active');
}

/** Takes hosts that failed out of the play. */
export function settle(run: PlayRun, failures: Failures): void {
  for (const [host, failure] of failures) leave(run, host, failure.kind);
  checkLimits(run, new Map());
}

function leave(run: PlayRun, host: HostRun, state: HostRun['state']): void {
  host.state = state;
  // Who is still in the play is something that templates can ask.
  run.world.knowledge++;
}

async function runNodes(
  run: PlayRun,
  nodes: readonly TaskNode[],
  hosts: readonly HostRun[],
  after: Upcoming | undefined,
  extra: ExtraLayers,
): Promise<Failures> {
  const failures: Failures = new Map();
  let active = hosts;
  for (const [index, node] of nodes.entries()) {
    active = active.filter((host) => host.state === 'active' && !failures.has(host));
    if (active.length === 0 || run.world.signal.aborted) break;
    const upcoming: Upcoming = { nodes, from: index + 1, after, extra };
    const failed =
      node.kind === 'block'
        ? await runBlock(run, node, active, upcoming, extra)
        : await runTask(run, node, active, upcoming, extra);
    for (const [host, failure] of failed) failures.set(host, failure);
    if (failed.size > 0) checkLimits(run, failures);
  }
  return failures;
}

async function runBlock(
  run: PlayRun,
  block: Block,
  hosts: readonly HostRun[],
  after: Upcoming,
  extra: ExtraLayers,
): Promise<Failures> {
  const guarded = block.rescue.length > 0;
  const failures = await runNodes(
    run,
    block.block,
    hosts,
    { nodes: block.always, from: 0, after, extra },
    extra,
  );
  if (guarded && !run.world.signal.aborted) {
    const rescued = [...failures].filter(([, failure]) => failure.kind === 'failed').map(([host]) => host);
    for (const host of rescued) {
      const failure = failures.get(host);
      if (!failure) continue;
      failures.delete(host);
      host.values.set('ansible_failed_result', failure.values);
      host.values.set(
        'ansible_failed_task',
        new Map<Value, Value>([
          ['name', failure.task.name?.text ?? ''],
          ['action', failure.task.action.text],
        ]),
      );
      run.world.knowledge++;
      if (failure.own) {
        host.counts.failed--;
        host.counts.rescued++;
      }
    }
    if (rescued.length > 0) {
      const again = await runNodes(
        run,
        block.rescue,
        rescued,
        { nodes: block.always, from: 0, after, extra },
        extra,
      );
      for (const [host, failure] of again) failures.set(host, failure);
    }
  }
  if (block.always.length > 0) {
    // Hosts that failed do this part too, before they leave; those that cannot be reached cannot.
    const reachable = hosts.filter((host) => failures.get(host)?.kind !== 'unreachable');
    const last = await runNodes(run, block.always, reachable, after, extra);
    for (const [host, failure] of last) failures.set(host, failure);
  }
  return failures;
}

async function runTask(
  run: PlayRun,
  task: Task,
  hosts: readonly HostRun[],
  upcoming: Upcoming,
  extra: ExtraLayers,
): Promise<Failures> {
  const { world } = run;
  if (!isSelected(task, world.settings)) return new Map();
  if (!world.started) {
    if (startsAt(world.settings.startAtTask, task, taskName(run, task, hosts[0]))) world.started = true;
    else if (task.at !== run.play.gatherFacts?.at && task.at !== run.play.at) return new Map();
  }
  const fresh = hosts.filter((host) => !hasRunRole(run, task, host) && !hasEndedRole(run, task, host));
  if (fresh.length < hosts.length) return await runTask(run, task, fresh, upcoming, extra);
  const action = shortName(task.action.text);
  if (action === 'meta') return await runMeta(run, task, hosts, upcoming);
  if (action === 'include_tasks' || action === 'include_role')
    return await runInclude(run, task, hosts, upcoming, extra);
  return await runOnHosts(run, task, hosts, upcoming, extra, false);
}

/** Actions that Ansible does once for all hosts. */
const RUN_ONCE = ['add_host', 'pause'];

/** Runs a task or a handler on hosts; gives back those that are out. */
export async function runOnHosts(
  run: PlayRun,
  task: Task,
  hosts: readonly HostRun[],
  upcoming: Upcoming | undefined,
  extra: ExtraLayers,
  handler: boolean,
): Promise<Failures> {
  const { world } = run;
  const first = hosts[0];
  if (!first) return new Map();
  await loadModulesOf([task]);
  const scope = scopeOf(run, first, task, extra);
  const once = RUN_ONCE.includes(shortName(task.action.text))
    ? true
    : (keywordFlag(task.runOnce, scope, run, task, 'run_once') ?? false);
  const doing = once ? [first] : hosts;
  announce(run, task, doing, handler);
  const throttle = Number(keyword(task.throttle, scope, run, task, 'throttle') ?? 0);
  const limit = throttle > 0 ? Math.min(throttle, world.settings.forks) : world.settings.forks;
  const ends = await mapLimit(doing, limit, (host) => runTaskOnHost(run, task, host, upcoming, extra));
  const failures: Failures = new Map();
  doing.forEach((host, index) => {
    const end = ends[index] as TaskEnd;
    count(host, end);
    if (end.status !== 'skipped') noteRole(run, task, host);
    const failure = failureOf(task, end);
    if (once) {
      // The other hosts take over what the one found, or fail with it.
      for (const other of hosts) {
        if (other !== host && task.register !== undefined) other.values.set(task.register, end.values);
        if (failure && other !== host) failures.set(other, { ...failure, own: false });
        else if (failure) failures.set(host, failure);
      }
    } else if (failure) failures.set(host, failure);
  });
  const fatal =
    keywordFlag(task.anyErrorsFatal ?? run.play.anyErrorsFatal, scope, run, task, 'any_errors_fatal') ??
    false;
  if (fatal && failures.size > 0) {
    const [failure] = failures.values();
    for (const host of hosts)
      if (failure && !failures.has(host)) failures.set(host, { ...failure, own: false });
  }
  return failures;
}

function failureOf(task: Task, end: TaskEnd): Failure | undefined {
  if (end.ignored || (end.status !== 'failed' && end.status !== 'unreachable')) return undefined;
  return { kind: end.status, own: true, task, values: end.values };
}

async function runInclude(
  run: PlayRun,
  task: Task,
  hosts: readonly HostRun[],
  upcoming: Upcoming,
  extra: ExtraLayers,
  handler = false,
): Promise<Failures> {
  const [first] = hosts;
  if (!first) return new Map();
  const scope = scopeOf(run, first, task, extra);
  const doing = keywordFlag(task.runOnce, scope, run, task, 'run_once') ? [first] : hosts;
  announce(run, task, doing, handler);
  const { groups, ends } = expandInclude(run, task, doing, extra);
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
    const layers = [...group.layers, ...extra];
    const failed = handler
      ? await runHandlerNodes(run, group.nodes, active, upcoming, layers)
      : await runNodes(run, group.nodes, active, upcoming, layers);
    for (const [host, failure] of failed) failures.set(host, failure);
  }
  return failures;
}

/** The tasks that a handler includes are handlers, too: they run whatever the tags. */
async function runHandlerNodes(
  run: PlayRun,
  nodes: readonly TaskNode[],
  hosts: readonly HostRun[],
  upcoming: Upcoming,
  extra: ExtraLayers,
): Promise<Failures> {
  const failures: Failures = new Map();
  for (const task of flatTasks(nodes)) {
    const active = hosts.filter((host) => !failures.has(host));
    const failed = await runOnHosts(run, task, active, upcoming, extra, true);
    for (const [host, failure] of failed) failures.set(host, failure);
  }
  return failures;
}

async function runMeta(
  run: PlayRun,
  task: Task,
  hosts: readonly HostRun[],
  upcoming: Upcoming,
): Promise<Failures> {
  const what = task.freeForm?.text.trim() ?? '';
  const applies = (host: HostRun): boolean => holds(task.when, scopeOf(run, host, task), run, task, 'when');
  switch (what) {
    case 'noop':
      return new Map();
    case 'flush_handlers':
      return await flushHandlers(run, upcoming);
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
      run.world.knowledge++;
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

/**
 * Runs the handlers that are due, in the order of their definition; those that they notify run as well, once all have
 * had their turn.
 */
export async function flushHandlers(run: PlayRun, upcoming: Upcoming | undefined): Promise<Failures> {
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
      const failed = await runHandler(run, handler.task, due, upcoming);
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

async function runHandler(
  run: PlayRun,
  task: Task,
  hosts: readonly HostRun[],
  upcoming: Upcoming | undefined,
): Promise<Failures> {
  const action = shortName(task.action.text);
  const nothing: Upcoming = upcoming ?? { nodes: [], from: 0, after: undefined };
  if (action === 'meta') return await runMeta(run, task, hosts, nothing);
  if (action === 'include_tasks' || action === 'include_role')
    return await runInclude(run, task, hosts, nothing, [], true);
  return await runOnHosts(run, task, hosts, upcoming, [], true);
}

/** Hosts that failed still run their handlers when asked to; others leave them noted for the next run. */
function canHandle(run: PlayRun, host: HostRun): boolean {
  return host.state === 'active' || (host.state === 'failed' && forcesHandlers(run, host));
}

function forcesHandlers(run: PlayRun, host: HostRun): boolean {
  return run.world.settings.forceHandlers || (playFlag(run, host, run.play.forceHandlers) ?? false);
}

/** `max_fail_percentage`; a host that cannot be reached counts as failed, so that a rolling change stops. */
function checkLimits(run: PlayRun, failing: Failures): void {
  const { play, batch } = run;
  const [first] = batch;
  if (!play.maxFailPercentage || !first) return;
  const value = Number(playValue(run, first, play.maxFailPercentage));
  if (Number.isNaN(value)) {
    throw new UserError({
      message: 'max_fail_percentage: expected a number',
      location: play.maxFailPercentage.at,
    });
  }
  const out = batch.filter(
    (host) => host.state === 'failed' || host.state === 'unreachable' || failing.has(host),
  ).length;
  if ((out / batch.length) * 100 > value) {
    for (const [host, failure] of failing) leave(run, host, failure.kind);
    throw new EndOfPlay(
      `${out} of ${batch.length} hosts failed, more than max_fail_percentage (${value} %) allows`,
    );
  }
}
