import { readFileSync } from 'node:fs';

import { LazyDict } from '../lib/lazy-dict.ts';
import { UserError } from '../lib/errors.ts';
import type { Dict, Value } from '../lib/value.ts';
import type { RoleContext, Task } from '../playbook/ast.ts';
import { layersOf, Scope } from '../plan/variables.ts';
import type { TemplateEnvironment, VariableSource } from '../template/environment.ts';
import { renderTemplate } from '../template/render.ts';
import { searchPath } from './controller.ts';
import { lookUp } from './lookups.ts';
import type { ExtraLayers, HostRun, PlayRun, World } from './world.ts';

/** Stands for "leave this argument out"; no user's text looks like it. */
export const OMIT = '__omit_place_holder__understudy';

interface CachedScopes {
  knowledge: number;
  readonly byRole: Map<RoleContext | undefined, Scope>;
}

const caches = new WeakMap<PlayRun, Map<HostRun, CachedScopes>>();

/** The variables that a task sees on a host; without a task, what the play itself sees there. */
export function scopeOf(run: PlayRun, host: HostRun, task?: Task, extra: ExtraLayers = []): Scope {
  if (task && task.vars.length > 0) return newScope(run, host, task.role, task).with(extra);
  let ofPlay = caches.get(run);
  if (!ofPlay) caches.set(run, (ofPlay = new Map()));
  let cached = ofPlay.get(host);
  if (!cached || cached.knowledge !== run.world.knowledge) {
    cached = { knowledge: run.world.knowledge, byRole: new Map() };
    ofPlay.set(host, cached);
  }
  let scope = cached.byRole.get(task?.role);
  if (!scope) cached.byRole.set(task?.role, (scope = newScope(run, host, task?.role, undefined)));
  return scope.with(extra);
}

function newScope(run: PlayRun, host: HostRun, role: RoleContext | undefined, task: Task | undefined): Scope {
  const { world, play } = run;
  const environment = environmentOf(world, role, () => scope);
  const scope: Scope = new Scope(
    layersOf({
      magic: magicVariables(run, host, role),
      extraVars: world.settings.extraVars,
      hostValues: host.values,
      includedVars: host.includedVars,
      facts: host.facts,
      inventory: host.inventoryVars,
      playVars: play.vars,
      playVarsFiles: run.varsFiles,
      playRoles: [...play.roles, ...run.addedRoles],
      role,
      taskVars: task?.vars ?? [],
    }),
    environment,
  );
  return scope;
}

/** The template engine's view of this machine: lookups, includes, secrets. */
export function environmentOf(
  world: World,
  role: RoleContext | undefined,
  variables: () => VariableSource,
): TemplateEnvironment {
  const { directory } = world.playbook;
  const environment: TemplateEnvironment = {
    secrets: world.secrets,
    lookup: (name, terms, options) =>
      lookUp(name, terms, options, {
        playbookDirectory: directory,
        role,
        variables: variables(),
        secrets: world.secrets,
        ahead: world.readingAhead,
        renderTemplate: (source, file) =>
          renderTemplate(source, variables(), environment, { origin: { file, line: 1, column: 1 } }),
      }),
    loadTemplate(name) {
      for (const file of searchPath(name, 'templates', directory, role)) {
        try {
          return { source: readFileSync(file, 'utf8'), file };
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        }
      }
      throw new UserError(`there is no template "${name}"`);
    },
  };
  return environment;
}

function magicVariables(run: PlayRun, host: HostRun, role: RoleContext | undefined): Dict {
  const { world } = run;
  const { inventory, settings, playbook } = world;
  const groups = new Map<Value, Value>([...world.groups].map(([name, hosts]) => [name, hosts]));
  const active = run.batch.filter((one) => one.state === 'active').map((one) => one.name);
  const magic = new Map<Value, Value>([
    ['inventory_hostname', host.name],
    ['inventory_hostname_short', host.name.split('.')[0] ?? host.name],
    ['inventory_dir', inventory.directory],
    ['inventory_file', inventory.file],
    ['playbook_dir', playbook.directory],
    ['groups', groups],
    [
      'group_names',
      [...world.groups]
        .filter(([name, hosts]) => name !== 'all' && hosts.includes(host.name))
        .map(([name]) => name)
        .sort(),
    ],
    ['hostvars', hostVariables(run)],
    ['ansible_play_hosts', active],
    ['ansible_play_hosts_all', run.allHosts.map((one) => one.name)],
    ['ansible_play_batch', run.batch.map((one) => one.name)],
    ['play_hosts', active],
    ['ansible_play_name', run.play.name?.text ?? ''],
    ['ansible_check_mode', settings.checkMode],
    ['ansible_diff_mode', settings.diffMode],
    ['ansible_verbosity', settings.verbosity],
    ['ansible_run_tags', [...settings.tags]],
    ['ansible_skip_tags', [...settings.skipTags]],
    ['ansible_facts', factsWithoutPrefix(host.facts)],
    [
      'ansible_version',
      new Map<Value, Value>([
        ['full', '2.19.0'],
        ['major', 2],
        ['minor', 19],
        ['revision', 0],
        ['string', '2.19.0'],
      ]),
    ],
    ['omit', OMIT],
  ]);
  if (role) {
    magic.set('role_name', role.name);
    magic.set('role_path', role.directory);
    magic.set('ansible_role_name', role.name);
    if (role.parent) magic.set('ansible_parent_role_names', [role.parent.name]);
  }
  return magic;
}

function factsWithoutPrefix(facts: Dict): Dict {
  return new Map(
    [...facts].map(([name, value]) => [
      String(name).startsWith('ansible_') ? String(name).slice('ansible_'.length) : name,
      value,
    ]),
  );
}

function hostVariables(run: PlayRun): Dict {
  const { world } = run;
  return new LazyDict(
    () => world.hosts.keys(),
    (name) => {
      const host = world.hosts.get(name);
      if (!host) return undefined;
      const scope = (): Scope => scopeOf(run, host);
      return new LazyDict(
        () => scope().names(),
        (variable) => scope().get(variable),
      );
    },
  );
}
