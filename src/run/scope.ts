import { dirname } from 'node:path';

import type { Inventory } from '../inventory/inventory.ts';
import type { Play, RoleContext, Task } from '../playbook/ast.ts';
import { hostScope, type PlayVariables, type Site } from '../variables/host-scope.ts';
import type { PlayView } from '../variables/magic.ts';
import type { Scope } from '../variables/scope.ts';
import type { ExtraLayers, HostRun, PlayRun, World } from './world.ts';

interface CachedScopes {
  knowledge: number;
  /** By role, and by the directory that the tasks are written in. */
  readonly scopes: Map<RoleContext | undefined, Map<string, Scope>>;
}

const caches = new WeakMap<PlayRun, Map<HostRun, CachedScopes>>();

/** The variables that a task sees on a host; without a task, what the play itself sees there. */
export function scopeOf(run: PlayRun, host: HostRun, task?: Task, extra: ExtraLayers = []): Scope {
  if (task && task.vars.length > 0) return newScope(run, host, task, task.vars).with(extra);
  const scopes = cachedScopes(run, host);
  let ofRole = scopes.get(task?.role);
  if (!ofRole) scopes.set(task?.role, (ofRole = new Map()));
  const directory = task ? dirname(task.at.file) : '';
  let scope = ofRole.get(directory);
  if (!scope) ofRole.set(directory, (scope = newScope(run, host, task, [])));
  return scope.with(extra);
}

function cachedScopes(run: PlayRun, host: HostRun): CachedScopes['scopes'] {
  let ofPlay = caches.get(run);
  if (!ofPlay) caches.set(run, (ofPlay = new Map()));
  let cached = ofPlay.get(host);
  if (!cached || cached.knowledge !== run.world.knowledge) {
    cached = { knowledge: run.world.knowledge, scopes: new Map() };
    ofPlay.set(host, cached);
  }
  return cached.scopes;
}

function newScope(run: PlayRun, host: HostRun, task: Task | undefined, taskVars: Task['vars']): Scope {
  return hostScope({
    site: siteOf(run.world),
    host,
    play: playView(run),
    playVariables: playVariables(run, host),
    task: task && { role: task.role, file: task.at.file },
    taskVars,
  });
}

/** What a play sees before any of its hosts is chosen. */
export function playScope(world: World, play: Play): Scope {
  return hostScope({
    site: siteOf(world),
    playVariables: { vars: play.vars, varsFiles: [], roles: play.roles },
  });
}

function playVariables({ play, varsFiles, addedRoles }: PlayRun, host: HostRun): PlayVariables {
  return { vars: play.vars, varsFiles: varsFiles.get(host) ?? [], roles: [...play.roles, ...addedRoles] };
}

function playView(run: PlayRun): PlayView {
  return {
    name: run.name,
    hosts: () => namesOf(run.allHosts),
    activeHosts: () => namesOfActive(run.allHosts),
    activeBatch: () => namesOfActive(run.batch),
    roles: run.play.roles,
  };
}

const namesOf = (hosts: readonly HostRun[]): readonly string[] => hosts.map((host) => host.name);
const namesOfActive = (hosts: readonly HostRun[]): readonly string[] =>
  namesOf(hosts.filter((host) => host.state === 'active'));

const sites = new WeakMap<World, Site>();

/** The run as variables tell of it. */
export function siteOf(world: World): Site {
  let site = sites.get(world);
  if (!site) sites.set(world, (site = newSite(world)));
  return site;
}

function newSite(world: World): Site {
  return {
    playbookDirectory: world.playbook.directory,
    secrets: world.secrets,
    command: world.settings,
    extraVars: world.settings.extraVars,
    inventory: () => currentInventory(world),
    hostNames: () => world.hosts.keys(),
    variablesOf(name) {
      const host = world.hosts.get(name);
      return host && variablesOutside(world, host);
    },
    get readingAhead() {
      return world.readingAhead;
    },
  };
}

/** The inventory with what add_host and group_by have added. */
export function currentInventory({ inventory, groups }: World): Inventory {
  return { ...inventory, groups };
}

const outside = new WeakMap<HostRun, { readonly knowledge: number; readonly scope: Scope }>();

/** What `hostvars` shows of a host: neither the variables of the play nor of its roles are among them. */
function variablesOutside(world: World, host: HostRun): Scope {
  const known = outside.get(host);
  if (known?.knowledge === world.knowledge) return known.scope;
  const scope = hostScope({ site: siteOf(world), host, play: world.current && playView(world.current) });
  outside.set(host, { knowledge: world.knowledge, scope });
  return scope;
}

/** What a host is connected to with, outside of any task. */
export function connectionScope(world: World, host: HostRun): Scope {
  const { current } = world;
  return current ? scopeOf(current, host) : hostScope({ site: siteOf(world), host });
}
