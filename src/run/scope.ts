import { readFileSync } from 'node:fs';

import { LazyDict } from '../lib/lazy-dict.ts';
import { UserError } from '../lib/errors.ts';
import type { Dict, Value } from '../lib/value.ts';
import type { RoleContext, Task } from '../playbook/ast.ts';
import { layersOf, Scope } from '../variables/scope.ts';
import type { TemplateEnvironment, VariableSource } from '../template/environment.ts';
import { renderTemplate } from '../template/render.ts';
import { selectHosts } from '../inventory/select.ts';
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
      magic: magicVariables(run, host, role, () => scope),
      extraVars: world.settings.extraVars,
      hostValues: host.values,
      includedVars: host.includedVars,
      facts: host.facts,
      inventory: host.inventoryVars,
      playVars: play.vars,
      playVarsFiles: run.varsFiles.get(host) ?? [],
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
        hostsOf: (pattern) =>
          selectHosts({ ...world.inventory, groups: world.groups }, pattern, undefined).hosts,
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

type Magic = (run: PlayRun, host: HostRun) => Value;

const namesOf = (hosts: readonly HostRun[]): readonly string[] => hosts.map((host) => host.name);
const active = (hosts: readonly HostRun[]): readonly string[] =>
  namesOf(hosts.filter((host) => host.state === 'active'));

/** What Ansible makes known of the run itself; each is worked out when it is asked for. */
const MAGIC: Readonly<Record<string, Magic>> = {
  inventory_hostname: (_, host) => host.name,
  inventory_hostname_short: (_, host) => host.name.split('.')[0] ?? host.name,
  inventory_dir: ({ world }) => world.inventory.directory,
  inventory_file: ({ world }) => world.inventory.file,
  playbook_dir: ({ world }) => world.playbook.directory,
  groups: ({ world }) => new Map<Value, Value>([...world.groups].map(([name, hosts]) => [name, hosts])),
  group_names: ({ world }, host) =>
    [...world.groups]
      .filter(([name, hosts]) => name !== 'all' && hosts.includes(host.name))
      .map(([name]) => name)
      .sort(),
  hostvars: (run) => hostVariables(run),
  ansible_play_hosts: (run) => active(run.allHosts),
  ansible_play_hosts_all: (run) => namesOf(run.allHosts),
  ansible_play_batch: (run) => active(run.batch),
  play_hosts: (run) => active(run.batch),
  ansible_play_name: (run) => run.name,
  ansible_check_mode: ({ world }) => world.settings.checkMode,
  ansible_diff_mode: ({ world }) => world.settings.diffMode,
  ansible_verbosity: ({ world }) => world.settings.verbosity,
  ansible_forks: ({ world }) => world.settings.forks,
  ansible_run_tags: ({ world }) => (world.settings.tags.length === 0 ? ['all'] : [...world.settings.tags]),
  ansible_skip_tags: ({ world }) => [...world.settings.skipTags],
  ansible_facts: (_, host) => factsWithoutPrefix(host.facts),
  ansible_version: () =>
    new Map<Value, Value>([
      ['full', '2.19.0'],
      ['major', 2],
      ['minor', 19],
      ['revision', 0],
      ['string', '2.19.0'],
    ]),
  omit: () => OMIT,
};

const ROLE_MAGIC: Readonly<Record<string, (role: RoleContext) => Value>> = {
  role_name: (role) => role.name,
  role_path: (role) => role.directory,
  ansible_role_name: (role) => role.name,
  ansible_parent_role_names: (role) => parentsOf(role).map((parent) => parent.name),
};

function parentsOf(role: RoleContext): readonly RoleContext[] {
  return role.parent ? [role.parent, ...parentsOf(role.parent)] : [];
}

/** `vars` has every variable by its name; like the others, it is worked out when asked for. */
function magicVariables(
  run: PlayRun,
  host: HostRun,
  role: RoleContext | undefined,
  scope: () => Scope,
): Dict {
  const names = [
    ...Object.keys(MAGIC),
    ...(role
      ? Object.keys(ROLE_MAGIC).filter((name) => name !== 'ansible_parent_role_names' || role.parent)
      : []),
    ...(run.world.settings.limit === undefined ? [] : ['ansible_limit']),
    'vars',
  ];
  const has = new Set(names);
  return new LazyDict(
    () => names,
    (name) => {
      if (!has.has(name)) return undefined;
      if (name === 'vars')
        return new LazyDict(
          () => scope().names(),
          (variable) => scope().get(variable),
        );
      if (name === 'ansible_limit') return run.world.settings.limit;
      return MAGIC[name]?.(run, host) ?? (role ? ROLE_MAGIC[name]?.(role) : undefined);
    },
  );
}

function factsWithoutPrefix(facts: Dict): Dict {
  return new Map(
    [...facts].map(([name, value]) => [
      String(name).startsWith('ansible_') ? String(name).slice('ansible_'.length) : name,
      value,
    ]),
  );
}

const hostScopes = new WeakMap<HostRun, { readonly knowledge: number; readonly scope: Scope }>();

/** What a host's variables are outside of any play: neither those of the play nor of its roles are among them. */
function hostScope(run: PlayRun, host: HostRun): Scope {
  const { world } = run;
  const known = hostScopes.get(host);
  if (known?.knowledge === world.knowledge) return known.scope;
  const environment = environmentOf(world, undefined, () => scope);
  const scope: Scope = new Scope(
    layersOf({
      magic: magicVariables(run, host, undefined, () => scope),
      extraVars: world.settings.extraVars,
      hostValues: host.values,
      includedVars: host.includedVars,
      facts: host.facts,
      inventory: host.inventoryVars,
      playVars: { values: new Map(), at: run.play.at },
      playVarsFiles: [],
      playRoles: [],
      role: undefined,
      taskVars: [],
    }),
    environment,
  );
  hostScopes.set(host, { knowledge: world.knowledge, scope });
  return scope;
}

function hostVariables(run: PlayRun): Dict {
  const { world } = run;
  return new LazyDict(
    () => world.hosts.keys(),
    (name) => {
      const host = world.hosts.get(name);
      if (!host) return undefined;
      const scope = (): Scope => hostScope(run, host);
      return new LazyDict(
        () => scope().names(),
        (variable) => scope().get(variable),
      );
    },
  );
}
