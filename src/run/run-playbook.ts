import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';

import { UserError } from '../lib/errors.ts';
import { SecretRegistry } from '../lib/secret.ts';
import { isList, type Value } from '../lib/value.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { selectHosts } from '../inventory/select.ts';
import { loadVarsDirectories } from '../inventory/variables.ts';
import type { Play, Playbook, VarsBlock } from '../playbook/ast.ts';
import type { LoaderOptions } from '../playbook/loader-options.ts';
import { loadVarsFile } from '../playbook/vars-file.ts';
import { loadModulesOf } from '../validate/load-modules.ts';
import { nodesOf } from '../validate/validate.ts';
import type { Transport } from '../transport/transport.ts';
import { learned } from './changed.ts';
import { searchPath } from '../variables/search-path.ts';
import type { EventSink, HostCounts, RunEvent } from './events.ts';
import { gatheringTask } from './gathering.ts';
import { collectHandlers } from './handlers.ts';
import { activeHosts, EndOfPlay, settle } from './failures.ts';
import { flushHandlers, runSection } from './play.ts';
import { playValue } from './play-value.ts';
import { redacting } from './redact.ts';
import { playStarts } from './start-at.ts';
import { currentInventory, playScope } from './scope.ts';
import { Changes } from './host/changes.ts';
import type { Host } from './host/host.ts';
import type { SiteActions } from './host/site-actions.ts';
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
  /** False reads everything anew when a task needs it, and nothing before: slow, and what the fast way must equal. */
  readonly readsAhead?: boolean;
  /** Moves the service of the site; without it, a task that wants that fails. */
  readonly site?: SiteActions | undefined;
  /** What to work on in the place of hosts that are connected to. */
  readonly openHost?: (name: string) => Host;
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
    emit: redacting(options.emit, options.secrets),
    hosts: new Map(),
    groups: new Map([...inventory.groups].map(([name, hosts]) => [name, [...hosts]])),
    changes: new Changes(),
    knowledge: 0,
    controllerAge: 0,
    readsAhead: options.readsAhead ?? true,
    playbookId: basename(playbook.file),
    started: settings.startAtTask === undefined,
    readingAhead: false,
    current: undefined,
    playbookVars: loadVarsDirectories(playbook.directory),
  };
  for (const name of inventory.hosts.keys()) world.hosts.set(name, newHost(world, name));
  return world;
}

/** The hosts that each play would run on, as far as the inventory and the command line say; nothing is asked of them. */
export function hostsOfPlays(
  options: Pick<PlaybookRun, 'playbook' | 'inventory' | 'settings' | 'loaderOptions' | 'emit'>,
): readonly { readonly pattern: string; readonly hosts: readonly string[] }[] {
  const unreachable = (): never => {
    throw new Error('a list of hosts connects to none');
  };
  const world = newWorld({
    ...options,
    secrets: new SecretRegistry(),
    signal: new AbortController().signal,
    transport: { connect: unreachable, close: async () => {} },
  });
  return options.playbook.plays.map((play) => ({
    pattern: shownHosts(world, play),
    hosts: playHosts(world, play),
  }));
}

/** Runs one play over its hosts, batch by batch; false when nothing further should run. */
async function runPlay(world: World, play: Play): Promise<boolean> {
  const all = playHosts(world, play).flatMap((host) => world.hosts.get(host) ?? []);
  const usable = all.filter((host) => host.state === 'active' || host.state === 'ended');
  for (const host of usable) host.state = 'active';
  learned(world);
  const name = playName(world, play);
  if (usable.length === 0) {
    world.emit({ type: 'play', name, hosts: [] });
    return true;
  }
  if (!world.started && !playStarts(world.settings.startAtTask, play)) return true;
  const common = { world, play, name, allHosts: usable };
  const batches = batchesOf({ ...freshRun(), ...common, batch: usable });
  for (const [index, batch] of batches.entries()) {
    if (world.signal.aborted) return false;
    world.emit({
      type: 'play',
      name,
      hosts: batch.map((host) => host.name),
      ...(batches.length > 1 ? { batch: { number: index + 1, of: batches.length } } : {}),
    });
    const run: PlayRun = { ...freshRun(), ...common, batch, handlers: [...collectHandlers(play.handlers)] };
    world.current = run;
    learned(world);
    loadVarsFiles(run);
    const ended = await runBatch(run);
    for (const host of batch) keepOwed(host);
    if (ended === 'stop') return false;
    if (ended === 'end-of-play') break;
    // Like Ansible, a play that lost a whole batch ends the run.
    if (batch.every((host) => host.state === 'failed' || host.state === 'unreachable')) return false;
  }
  return true;
}

function freshRun(): Pick<PlayRun, 'varsFiles' | 'handlers' | 'addedRoles' | 'begunRoles' | 'endedRoles'> {
  return {
    varsFiles: new Map(),
    handlers: [],
    addedRoles: [],
    begunRoles: new Map(),
    endedRoles: new Map(),
  };
}

/** Handlers are of their play; what did not run in it stays noted for the next run. */
function keepOwed(host: HostRun): void {
  for (const key of host.notified) host.owed.add(key);
  host.notified.clear();
}

async function runBatch(run: PlayRun): Promise<'done' | 'end-of-play' | 'stop'> {
  const { play, world } = run;
  const gathering = gatheringTask(run);
  const sections = [
    [...(gathering ? [gathering] : []), ...play.preTasks],
    [...play.roleTasks, ...play.tasks],
    play.postTasks,
  ];
  try {
    for (const [index, nodes] of sections.entries()) {
      if (nodes.length > 0 && activeHosts(run).length > 0) {
        const after = sections.slice(index + 1).flat();
        await runSection(run, nodes, { nodes: after, from: 0, after: undefined });
      }
      settle(run, await flushHandlers(run, undefined));
    }
    return 'done';
  } catch (error) {
    if (!(error instanceof EndOfPlay)) throw error;
    if (error.reason === undefined) return 'end-of-play';
    world.emit({ type: 'warning', message: error.reason, at: play.at });
    return 'stop';
  }
}

/** A play's name with its templates rendered; what is not known yet leaves it as written. */
function playName(world: World, play: Play): string {
  if (!play.name) return shownHosts(world, play);
  try {
    return playScope(world, play).renderText(play.name.text, play.name.at);
  } catch (error) {
    if (error instanceof UserError) return play.name.text;
    throw error;
  }
}

function shownHosts(world: World, play: Play): string {
  const value = playScope(world, play).render(play.hosts.value, play.hosts.at);
  return isList(value) ? value.map(String).join(',') : String(value);
}

function playHosts(world: World, play: Play): readonly string[] {
  const pattern = shownHosts(world, play);
  // Groups made by add_host and group_by count, too.
  const inventory: Inventory = { ...currentInventory(world), hosts: withAddedHosts(world) };
  const selected = selectHosts(inventory, pattern, world.settings.limit);
  for (const message of selected.warnings) world.emit({ type: 'warning', message, at: play.hosts.at });
  for (const name of selected.hosts) hostRun(world, name);
  return selected.hosts;
}

/** The keyword `order`. */
function inOrder(world: World, play: Play, hosts: readonly HostRun[]): readonly HostRun[] {
  if (!play.order) return hosts;
  const order = String(playScope(world, play).render(play.order.value, play.order.at));
  const sorted = (): HostRun[] => [...hosts].sort((a, b) => (a.name < b.name ? -1 : 1));
  switch (order) {
    case 'inventory':
      return hosts;
    case 'reverse_inventory':
      return [...hosts].reverse();
    case 'sorted':
      return sorted();
    case 'reverse_sorted':
      return sorted().reverse();
    case 'shuffle':
      return shuffled(hosts);
    default:
      throw new UserError({
        message: `order: expected inventory, reverse_inventory, sorted, reverse_sorted or shuffle, found "${order}"`,
        location: play.order.at,
      });
  }
}

function shuffled<Item>(items: readonly Item[]): readonly Item[] {
  const left = [...items];
  return items.map(() => left.splice(randomInt(left.length), 1)[0] as Item);
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
function batchesOf(run: PlayRun): readonly (readonly HostRun[])[] {
  const { play, world, allHosts } = run;
  const hosts = inOrder(world, play, allHosts);
  const [first] = hosts;
  if (!play.serial || !first) return [hosts];
  const value = playValue(run, first, play.serial);
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

/** The play's vars_files, for each host of the batch: their names may depend on it. */
function loadVarsFiles(run: PlayRun): void {
  const { play, world, batch } = run;
  if (play.varsFiles.length === 0) return;
  const loaded = new Map<string, VarsBlock>();
  for (const host of batch) {
    const blocks: VarsBlock[] = [];
    for (const entry of play.varsFiles) {
      const value = playValue(run, host, entry);
      const names = isList(value) ? value.map(String) : [String(value)];
      const path = names
        .flatMap((name) => searchPath(name, 'vars', world.playbook.directory, undefined))
        .find((candidate) => existsSync(candidate));
      if (path === undefined) {
        throw new UserError({
          message: `vars_files: none of ${names.join(', ')} exists`,
          location: entry.at,
        });
      }
      const block = loaded.get(path) ?? loadVarsFile(path);
      loaded.set(path, block);
      blocks.push(block);
      // The next name may use what is in this file.
      run.varsFiles.set(host, [...blocks]);
      learned(world);
    }
  }
}
