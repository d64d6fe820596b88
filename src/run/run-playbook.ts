import { existsSync } from 'node:fs';
import { basename } from 'node:path';

import { UserError } from '../lib/errors.ts';
import type { SecretRegistry } from '../lib/secret.ts';
import { isList, type Value } from '../lib/value.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { selectHosts } from '../inventory/select.ts';
import { loadVarsDirectories } from '../inventory/variables.ts';
import type { Play, Playbook, Task, VarsBlock } from '../playbook/ast.ts';
import type { LoaderOptions } from '../playbook/loader-options.ts';
import { loadVarsFile } from '../playbook/vars-file.ts';
import { loadModulesOf } from '../plan/load-modules.ts';
import { nodesOf } from '../plan/validate.ts';
import { renderDeep, Scope } from '../plan/variables.ts';
import type { Transport } from '../transport/transport.ts';
import { searchPath } from './controller.ts';
import type { EventSink, HostCounts, RunEvent } from './events.ts';
import { collectHandlers } from './handlers.ts';
import { activeHosts, EndOfPlay, flushHandlers, runSection } from './play.ts';
import { environmentOf, scopeOf } from './scope.ts';
import { hostRun, newHost } from './targets.ts';
import type { HostRun, PlayRun, RunSettings, World } from './world.ts';

export interface PlaybookRun {
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  readonly settings: RunSettings;
  readonly transport: Transport;
  readonly loaderOptions: LoaderOptions;
  readonly secrets: SecretRegistry;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
}

export type Recap = Extract<RunEvent, { type: 'recap' }>;

/** Runs a playbook's plays in order. What went wrong on hosts is in the recap; an error thrown is the user's or ours. */
export async function runPlaybook(options: PlaybookRun): Promise<Recap> {
  const startedAt = performance.now();
  const world = newWorld(options);
  await loadModulesOf(options.playbook.plays.flatMap(nodesOf));
  for (const play of options.playbook.plays) {
    if (options.signal.aborted) break;
    const carryOn = await runPlay(world, play);
    if (!carryOn) break;
  }
  if (!world.started && !options.signal.aborted) {
    throw new UserError(`--start-at-task: no task is called "${options.settings.startAtTask}"`);
  }
  await Promise.all([...world.hosts.values()].map((host) => host.session.disconnect()));
  const hosts: Record<string, HostCounts> = {};
  for (const host of world.hosts.values()) {
    const { counts } = host;
    if (Object.values(counts).some((count) => count > 0)) hosts[host.name] = { ...counts };
  }
  const recap: Recap = {
    type: 'recap',
    hosts,
    ms: Math.round(performance.now() - startedAt),
    interrupted: options.signal.aborted,
  };
  world.emit(recap);
  return recap;
}

function newWorld(options: PlaybookRun): World {
  const { inventory, playbook, settings } = options;
  const world: World = {
    ...options,
    hosts: new Map(),
    groups: new Map([...inventory.groups].map(([name, hosts]) => [name, [...hosts]])),
    changes: 0,
    knowledge: 0,
    playbookId: basename(playbook.file),
    started: settings.startAtTask === undefined,
    readingAhead: false,
    playbookVars: loadVarsDirectories(playbook.directory),
  };
  for (const name of inventory.hosts.keys()) world.hosts.set(name, newHost(world, name));
  return world;
}

/** Runs one play over its hosts, batch by batch; false when nothing further should run. */
async function runPlay(world: World, play: Play): Promise<boolean> {
  const names = playHosts(world, play);
  const all = names.flatMap((name) => world.hosts.get(name) ?? []);
  const usable = all.filter((host) => host.state === 'active' || host.state === 'ended');
  for (const host of usable) host.state = 'active';
  const name = play.name?.text ?? names.join(',');
  if (usable.length === 0) {
    world.emit({ type: 'play', name, hosts: [] });
    // With everything failed there is nothing left for later plays; with an empty pattern there may be.
    return all.length === 0;
  }
  const batches = batchesOf(world, play, usable);
  for (const [index, batch] of batches.entries()) {
    if (world.signal.aborted) return false;
    world.emit({
      type: 'play',
      name,
      hosts: batch.map((host) => host.name),
      ...(batches.length > 1 ? { batch: { number: index + 1, of: batches.length } } : {}),
    });
    const run: PlayRun = {
      world,
      play,
      allHosts: usable,
      batch,
      varsFiles: [],
      handlers: [...collectHandlers(play.handlers)],
      addedRoles: [],
      begunRoles: new Map(),
    };
    const ended = await runBatch({ ...run, varsFiles: playVarsFiles(run) });
    if (
      ended === 'stop' ||
      (batches.length > 1 && batch.every((host) => host.state !== 'active' && host.state !== 'ended'))
    )
      return false;
  }
  return true;
}

async function runBatch(run: PlayRun): Promise<'done' | 'stop'> {
  const { play, world } = run;
  const sections = [
    [...setupTask(run), ...play.preTasks],
    [...play.roleTasks, ...play.tasks],
    play.postTasks,
  ];
  try {
    for (const [index, nodes] of sections.entries()) {
      if (nodes.length > 0 && activeHosts(run).length > 0) {
        const after = sections.slice(index + 1).flat();
        await runSection(run, nodes, { nodes: after, from: 0, after: undefined });
      }
      const failures = await flushHandlers(run, undefined);
      for (const [host, failure] of failures)
        host.state = failure.kind === 'unreachable' ? 'unreachable' : 'failed';
    }
    return 'done';
  } catch (error) {
    if (!(error instanceof EndOfPlay)) throw error;
    if (error.reason === undefined) return 'done';
    world.emit({ type: 'warning', message: error.reason, at: play.at });
    return 'stop';
  }
}

/** Gathering facts is a task like any other, at the play's start. */
function setupTask(run: PlayRun): readonly Task[] {
  const { play } = run;
  if (play.gatherFacts && play.gatherFacts.value === false) return [];
  const at = play.gatherFacts?.at ?? play.at;
  const task: Task = {
    kind: 'task',
    name: { text: 'Gathering Facts', at },
    action: { text: 'ansible.builtin.setup', at },
    args: { value: new Map(), at },
    notify: [],
    listen: [],
    when: play.when,
    tags: ['always'],
    environment: play.environment,
    vars: [],
    at,
    ...(play.become ? { become: play.become } : {}),
    ...(play.becomeUser ? { becomeUser: play.becomeUser } : {}),
  };
  return [task];
}

function playHosts(world: World, play: Play): readonly string[] {
  const environment = environmentOf(world, undefined, () => scope);
  const scope: Scope = new Scope(
    [
      { values: world.settings.extraVars, written: true },
      { values: play.vars.values, written: true },
    ],
    environment,
  );
  const value = renderDeep(play.hosts.value, scope, environment, play.hosts.at);
  const pattern = isList(value) ? value.map(String).join(',') : String(value);
  // Groups made by add_host and group_by count, too.
  const inventory: Inventory = { ...world.inventory, groups: world.groups, hosts: withAddedHosts(world) };
  const selected = selectHosts(inventory, pattern, world.settings.limit);
  for (const message of selected.warnings) world.emit({ type: 'warning', message, at: play.hosts.at });
  for (const name of selected.hosts) hostRun(world, name);
  return selected.hosts;
}

function withAddedHosts(world: World): Inventory['hosts'] {
  const hosts = new Map(world.inventory.hosts);
  for (const name of world.hosts.keys()) {
    if (!hosts.has(name) && name !== 'localhost' && world.groups.get('all')?.includes(name)) {
      hosts.set(name, { name, groups: ['all'], layers: [] });
    }
  }
  return hosts;
}

/** `serial`: a number, a percentage, or a list of either whose last entry repeats. */
function batchesOf(world: World, play: Play, hosts: readonly HostRun[]): readonly (readonly HostRun[])[] {
  if (!play.serial) return [hosts];
  const first = hosts[0] as HostRun;
  const run: PlayRun = {
    world,
    play,
    allHosts: hosts,
    batch: hosts,
    varsFiles: [],
    handlers: [],
    addedRoles: [],
    begunRoles: new Map(),
  };
  const scope = scopeOf(run, first);
  const value = renderDeep(
    play.serial.value,
    scope,
    environmentOf(world, undefined, () => scope),
    play.serial.at,
  );
  const sizes = (isList(value) ? value : [value]).map((size) => batchSize(size, hosts.length, play));
  const batches: HostRun[][] = [];
  for (let from = 0, index = 0; from < hosts.length; index++) {
    const size = sizes[Math.min(index, sizes.length - 1)] ?? hosts.length;
    batches.push(hosts.slice(from, from + size));
    from += size;
  }
  return batches;
}

function batchSize(size: Value, hosts: number, play: Play): number {
  const text = String(size).trim();
  const number = text.endsWith('%')
    ? Math.max(1, Math.floor((hosts * Number(text.slice(0, -1))) / 100))
    : Number(text);
  if (!Number.isInteger(number) || number < 0) {
    throw new UserError({
      message: `serial: expected a number or a percentage, found "${text}"`,
      location: play.serial?.at ?? play.at,
    });
  }
  return number === 0 ? hosts : number;
}

/** The play's vars_files. Their names may depend on the host; those that do are read for the first host's sake. */
function playVarsFiles(run: PlayRun): readonly VarsBlock[] {
  const { play, world } = run;
  const first = run.batch[0];
  if (!first) return [];
  return play.varsFiles.map((entry) => {
    const scope = scopeOf(run, first);
    const value = renderDeep(
      entry.value,
      scope,
      environmentOf(world, undefined, () => scope),
      entry.at,
    );
    const names = isList(value) ? value.map(String) : [String(value)];
    for (const name of names) {
      const [path] = searchPath(name, '.', world.playbook.directory, undefined).filter((candidate) =>
        existsSync(candidate),
      );
      if (path !== undefined) return loadVarsFile(path);
    }
    throw new UserError({ message: `vars_files: none of ${names.join(', ')} exists`, location: entry.at });
  });
}
