import type { Value } from '../lib/value.ts';
import type { Block, RoleContext, Task, TaskNode } from '../playbook/ast.ts';
import { loadModulesOf } from '../plan/load-modules.ts';
import { shortName } from '../plan/validate.ts';
import type { Upcoming } from './ahead.ts';
import { clearHandlers } from '../facts/due-handlers.ts';
import { expandInclude } from './include.ts';
import { mapLimit } from './limit.ts';
import { holds, keyword, keywordFlag } from './prepare.ts';
import { scopeOf } from './scope.ts';
import { isSelected } from './tags.ts';
import { runTaskOnHost, taskName, type TaskEnd } from './task.ts';
import { TaskError } from './task-error.ts';
import type { ExtraLayers, HostRun, PlayRun } from './world.ts';

/** The play, or the batch of it, is to go no further: too many hosts failed, or `meta` said so. */
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
  const failures = await runNodes(run, nodes, activeHosts(run), after, []);
  settle(run, failures);
}

/** The hosts of the batch that are still in it. */
export function activeHosts(run: PlayRun): readonly HostRun[] {
  return run.batch.filter((host) => host.state === 'active');
}

function settle(run: PlayRun, failures: Failures): void {
  for (const [host, failure] of failures)
    host.state = failure.kind === 'unreachable' ? 'unreachable' : 'failed';
  checkLimits(run, new Map());
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
    const upcoming: Upcoming = { nodes, from: index + 1, after };
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
  const failures = await runNodes(run, block.block, hosts, { nodes: block.always, from: 0, after }, extra);
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
      host.counts.failed--;
      host.counts.rescued++;
    }
    if (rescued.length > 0) {
      const again = await runNodes(
        run,
        block.rescue,
        rescued,
        { nodes: block.always, from: 0, after },
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
    if (taskName(run, task, hosts[0]) === world.settings.startAtTask) world.started = true;
    else if (!shortName(task.action.text).startsWith('include_')) return new Map();
  }
  const fresh = hosts.filter((host) => !hasRunRole(run, task, host));
  if (fresh.length < hosts.length) return await runTask(run, task, fresh, upcoming, extra);
  const action = shortName(task.action.text);
  if (action === 'meta') return await runMeta(run, task, hosts, upcoming);
  if (action === 'include_tasks' || action === 'include_role')
    return await runInclude(run, task, hosts, upcoming, extra);
  return await runOnHosts(run, task, hosts, upcoming, extra, false);
}

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
  const once = keywordFlag(task.runOnce, scope, run, task, 'run_once') ?? false;
  const doing = once ? [first] : hosts;
  world.emit({
    type: 'task',
    name: taskName(run, task, first),
    ...(task.role ? { role: task.role.name } : {}),
    module: task.action.text,
    handler,
    at: task.at,
    hosts: doing.map((host) => host.name),
  });
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
        if (failure) failures.set(other, failure);
      }
    } else if (failure) failures.set(host, failure);
  });
  const fatal =
    keywordFlag(task.anyErrorsFatal ?? run.play.anyErrorsFatal, scope, run, task, 'any_errors_fatal') ??
    false;
  if (fatal && failures.size > 0) {
    const [failure] = failures.values();
    for (const host of hosts) if (failure && !failures.has(host)) failures.set(host, failure);
  }
  return failures;
}

/** Of a role that stands twice in a play, only the first application that did anything on a host counts. */
function hasRunRole(run: PlayRun, task: Task, host: HostRun): boolean {
  const key = task.role?.onceKey;
  const begun = key === undefined ? undefined : run.begunRoles.get(key)?.get(host);
  return begun !== undefined && begun !== task.role;
}

function noteRole(run: PlayRun, task: Task, host: HostRun): void {
  const { role } = task;
  if (role?.onceKey === undefined) return;
  const hosts = run.begunRoles.get(role.onceKey) ?? new Map<HostRun, RoleContext>();
  if (!hosts.has(host)) hosts.set(host, role);
  run.begunRoles.set(role.onceKey, hosts);
}

function failureOf(task: Task, end: TaskEnd): Failure | undefined {
  if (end.ignored || (end.status !== 'failed' && end.status !== 'unreachable')) return undefined;
  return { kind: end.status, task, values: end.values };
}

function count(host: HostRun, end: TaskEnd): void {
  const { counts } = host;
  if (end.status === 'unreachable') counts.unreachable++;
  else if (end.status === 'skipped') counts.skipped++;
  else if (end.status === 'failed' && end.ignored) {
    counts.ok++;
    counts.ignored++;
  } else if (end.status === 'failed') counts.failed++;
  else {
    counts.ok++;
    if (end.status === 'changed') counts.changed++;
  }
}

async function runInclude(
  run: PlayRun,
  task: Task,
  hosts: readonly HostRun[],
  upcoming: Upcoming,
  extra: ExtraLayers,
): Promise<Failures> {
  const failures: Failures = new Map();
  const groups = expandInclude(run, task, hosts, extra, (host, error) => {
    host.counts.failed++;
    const message = run.world.secrets.redact(error.message);
    run.world.emit({
      type: 'result',
      host: host.name,
      task: taskName(run, task, host),
      module: task.action.text,
      status: 'failed',
      message,
      ms: 0,
    });
    failures.set(host, {
      kind: 'failed',
      task,
      values: new Map<Value, Value>([
        ['failed', true],
        ['msg', message],
      ]),
    });
  });
  for (const group of groups) {
    const active = group.hosts.filter((host) => !failures.has(host));
    for (const handler of group.handlers)
      if (!run.handlers.some((known) => known.key === handler.key)) run.handlers.push(handler);
    await loadModulesOf(group.nodes);
    const failed = await runNodes(run, group.nodes, active, upcoming, [...group.layers, ...extra]);
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
    case 'end_host':
      for (const host of hosts) if (applies(host)) host.state = 'ended';
      return new Map();
    case 'clear_facts':
      for (const host of hosts) if (applies(host)) host.facts.clear();
      run.world.knowledge++;
      return new Map();
    case 'clear_host_errors':
      return new Map();
    case 'reset_connection':
      await Promise.all(hosts.filter(applies).map((host) => host.session.disconnect()));
      return new Map();
    default: {
      const { file, line, column } = task.at;
      throw new TaskError(`${file}:${line}:${column}: meta: "${what}" is not supported`);
    }
  }
}

/** Runs the handlers that are due, in the order of their definition; one handler may notify another further down. */
export async function flushHandlers(run: PlayRun, upcoming: Upcoming | undefined): Promise<Failures> {
  const failures: Failures = new Map();
  for (const { key, task } of run.handlers) {
    const due = run.batch.filter(
      (host) => canHandle(run, host) && !failures.has(host) && host.notified.has(key),
    );
    if (due.length === 0 || run.world.signal.aborted) continue;
    for (const host of due) host.notified.delete(key);
    const failed = await runOnHosts(run, task, due, upcoming, [], true);
    for (const [host, failure] of failed) {
      failures.set(host, failure);
      host.notified.add(key);
    }
  }
  if (!run.world.settings.checkMode && !run.world.signal.aborted) await clearNotes(run);
  return failures;
}

/** Hosts that failed still run their handlers when asked to; others leave them noted for the next run. */
function canHandle(run: PlayRun, host: HostRun): boolean {
  return host.state === 'active' || (run.world.settings.forceHandlers && host.state === 'failed');
}

async function clearNotes(run: PlayRun): Promise<void> {
  const { world } = run;
  const done = run.batch.filter(
    (host) => host.notified.size === 0 && host.notedBy.size > 0 && host.state !== 'unreachable',
  );
  await mapLimit(done, world.settings.forks, async (host) => {
    for (const actor of host.notedBy.values())
      await host.session.script(actor, clearHandlers(world.playbookId));
    host.notedBy.clear();
    host.session.forget();
  });
}

/** `max_fail_percentage`; a host that cannot be reached counts as failed, so that a rolling change stops. */
function checkLimits(run: PlayRun, failing: Failures): void {
  const { play, batch } = run;
  if (!play.maxFailPercentage) return;
  const first = batch[0];
  if (!first) return;
  const value = Number(scopeValue(run, first));
  const out = batch.filter(
    (host) => host.state === 'failed' || host.state === 'unreachable' || failing.has(host),
  ).length;
  if ((out / batch.length) * 100 > value) {
    for (const [host, failure] of failing)
      host.state = failure.kind === 'unreachable' ? 'unreachable' : 'failed';
    throw new EndOfPlay(
      `${out} of ${batch.length} hosts failed, more than max_fail_percentage (${value} %) allows`,
    );
  }
}

function scopeValue(run: PlayRun, host: HostRun): unknown {
  const value = run.play.maxFailPercentage?.value;
  if (typeof value !== 'string') return value;
  return scopeOf(run, host).get(value.replaceAll(/[{}\s]/g, '')) ?? value;
}
