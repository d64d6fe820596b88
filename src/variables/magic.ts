import { dirname } from 'node:path';

import type { Inventory } from '../inventory/inventory.ts';
import { LazyDict } from '../lib/lazy-dict.ts';
import type { Dict, Value } from '../lib/value.ts';
import type { RoleContext } from '../playbook/ast.ts';
import type { VariableSource } from '../template/environment.ts';

/** Stands for "leave this argument out"; no user's text looks like it. */
export const OMIT = '__omit_place_holder__understudy';

/** What magic variables say of the command that was given. */
export interface CommandView {
  readonly checkMode: boolean;
  readonly diffMode: boolean;
  readonly verbosity: number;
  readonly forks: number;
  /** Empty: all. */
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
  readonly limit: string | undefined;
}

/** What they say of everything that the command is about. */
export interface SiteView {
  readonly playbookDirectory: string;
  readonly command: CommandView;
  /** As it is now: hosts and groups may have been added to it. */
  inventory(): Inventory;
  hostNames(): Iterable<string>;
  /** What `hostvars` shows of a host. */
  variablesOf(host: string): VariableSource | undefined;
}

/** What they say of a play: the names of its hosts, and its roles. */
export interface PlayView {
  readonly name: string;
  hosts(): readonly string[];
  activeHosts(): readonly string[];
  activeBatch(): readonly string[];
  /** Of `roles:`, with what they depend on. */
  readonly roles: readonly RoleContext[];
}

/** What they say of a task: where it is written. */
export interface TaskView {
  readonly role: RoleContext | undefined;
  readonly file: string;
}

/** What they say of a host: its name, and what `setup` found there. */
export interface HostView {
  readonly name: string;
  readonly facts: Dict;
}

/** All that magic variables are made of. Outside of a play there are none of a play, and so on. */
export interface MagicView {
  readonly host?: HostView | undefined;
  readonly site: SiteView;
  readonly play?: PlayView | undefined;
  readonly task?: TaskView | undefined;
}

type Table<View> = Readonly<Record<string, (view: View) => Value>>;

/**
 * What Ansible makes known of the run itself, whoever asks; each is worked out when it is asked for. These are stronger
 * than all other variables, those of the command line among them.
 */
const OF_SITE: Table<SiteView> = {
  playbook_dir: (site) => site.playbookDirectory,
  groups: (site) => new Map<Value, Value>([...site.inventory().groups].map(([name, hosts]) => [name, hosts])),
  hostvars: (site) => hostVariables(site),
  ansible_check_mode: ({ command }) => command.checkMode,
  ansible_diff_mode: ({ command }) => command.diffMode,
  ansible_verbosity: ({ command }) => command.verbosity,
  ansible_forks: ({ command }) => command.forks,
  ansible_run_tags: ({ command }) => (command.tags.length === 0 ? ['all'] : [...command.tags]),
  ansible_skip_tags: ({ command }) => [...command.skipTags],
  ansible_inventory_sources: (site) => [site.inventory().file],
  // No ansible.cfg is read.
  ansible_config_file: () => null,
  // No Python runs this; the ones who ask want an interpreter for tasks of this machine.
  ansible_playbook_python: () => '/usr/bin/python3',
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

const OF_LIMIT: Table<string> = { ansible_limit: (limit) => limit };

const OF_PLAY: Table<PlayView> = {
  ansible_play_name: (play) => play.name,
  ansible_play_hosts_all: (play) => play.hosts(),
  ansible_play_hosts: (play) => play.activeHosts(),
  ansible_play_batch: (play) => play.activeBatch(),
  play_hosts: (play) => play.activeBatch(),
  ansible_play_role_names: ({ roles }) => directRoles(roles),
  role_names: ({ roles }) => directRoles(roles),
  ansible_dependent_role_names: ({ roles }) => dependentRoles(roles),
  ansible_role_names: ({ roles }) => [...new Set([...directRoles(roles), ...dependentRoles(roles)])],
};

const OF_TASK: Table<MagicView> = {
  ansible_search_path: ({ task, site }) => (task ? searchDirectories(task, site.playbookDirectory) : []),
};

const OF_ROLE: Table<RoleContext> = {
  role_name: (role) => role.name.slice(role.collection === undefined ? 0 : role.collection.length + 1),
  role_path: (role) => role.directory,
  ansible_role_name: (role) => role.name,
  ansible_collection_name: (role) => role.collection ?? null,
};

/** Only in a role that another one includes or imports; Ansible does not count one that depends on it. */
const OF_INCLUDED_ROLE: Table<readonly RoleContext[]> = {
  ansible_parent_role_names: (parents) => parents.map((role) => role.name),
  ansible_parent_role_paths: (parents) => parents.map((role) => role.directory),
};

/** Of a host itself: all but the inventory's own variables can replace these. */
const OF_HOST: Table<{ readonly host: HostView; readonly site: SiteView }> = {
  inventory_hostname: ({ host }) => host.name,
  inventory_hostname_short: ({ host }) => host.name.split('.')[0] ?? host.name,
  inventory_dir: ({ site }) => site.inventory().directory,
  inventory_file: ({ site }) => site.inventory().file,
  group_names: ({ host, site }) =>
    [...site.inventory().groups]
      .filter(([name, hosts]) => name !== 'all' && hosts.includes(host.name))
      .map(([name]) => name)
      .sort(),
  ansible_facts: ({ host }) => withoutPrefix(host.facts),
};

/** A magic variable of one table: where it applies, and what it is there. */
interface Row {
  applies(view: MagicView): boolean;
  value(view: MagicView): Value | undefined;
}

function rows<View>(
  part: (view: MagicView) => View | undefined,
  table: Table<View>,
): readonly [string, Row][] {
  return Object.entries(table).map(([name, value]) => [
    name,
    {
      applies: (view) => part(view) !== undefined,
      value(view) {
        const of = part(view);
        return of === undefined ? undefined : value(of);
      },
    },
  ]);
}

const STRONGEST: ReadonlyMap<string, Row> = new Map([
  ...rows(({ site }) => site, OF_SITE),
  ...rows(({ site }) => site.command.limit, OF_LIMIT),
  ...rows(({ play }) => play, OF_PLAY),
  ...rows((view) => view.task && view, OF_TASK),
  ...rows(({ task }) => task?.role, OF_ROLE),
  ...rows(({ task }) => (task?.role ? includersOf(task.role) : undefined), OF_INCLUDED_ROLE),
]);
const OF_HOSTS: ReadonlyMap<string, Row> = new Map(rows(({ host, site }) => host && { host, site }, OF_HOST));

/** Every name that is a magic variable somewhere. */
export const MAGIC_NAMES: readonly string[] = [...STRONGEST.keys(), ...OF_HOSTS.keys(), 'vars'];

/** The magic variables that nothing else can replace. `all` is the scope that they are part of. */
export function magicVariables(view: MagicView, all: () => VariableSource): Dict {
  return lazily(STRONGEST, view, ['vars', () => variablesDict(all)]);
}

/** The magic variables of a host itself. */
export function hostMagic(view: MagicView): Dict {
  return lazily(OF_HOSTS, view);
}

function lazily(
  table: ReadonlyMap<string, Row>,
  view: MagicView,
  [more, valueOfMore]: readonly [string?, (() => Value)?] = [],
): Dict {
  return new LazyDict(
    function* names() {
      for (const [name, row] of table) if (row.applies(view)) yield name;
      if (more !== undefined) yield more;
    },
    (name) => (name === more ? valueOfMore?.() : table.get(name)?.value(view)),
    (name) => name === more || (table.get(name)?.applies(view) ?? false),
  );
}

function variablesDict(source: () => VariableSource): Dict {
  return new LazyDict(
    () => source().names(),
    (name) => source().get(name),
  );
}

function hostVariables(site: SiteView): Dict {
  return new LazyDict(
    () => site.hostNames(),
    (name) => {
      const variables = site.variablesOf(name);
      return variables && variablesDict(() => variables);
    },
    (name) => site.variablesOf(name) !== undefined,
  );
}

function directRoles(roles: readonly RoleContext[]): readonly string[] {
  return [...new Set(roles.filter((role) => !role.isDependency).map((role) => role.name))];
}

function dependentRoles(roles: readonly RoleContext[]): readonly string[] {
  return [...new Set(roles.filter((role) => role.isDependency).map((role) => role.name))];
}

/** The roles that include this one or the one that depends on it, the nearest first. */
function includersOf(role: RoleContext): readonly RoleContext[] | undefined {
  if (!role.parent) return undefined;
  const further = includersOf(role.parent);
  return role.isDependency ? further : [role.parent, ...(further ?? [])];
}

function withoutPrefix(facts: Dict): Dict {
  return new Map(
    [...facts].map(([name, value]) => [
      String(name).startsWith('ansible_') ? String(name).slice('ansible_'.length) : name,
      value,
    ]),
  );
}

/** Where a task's files are looked for: its role and those that brought it in, its own directory, the playbook's. */
function searchDirectories(task: TaskView, playbookDirectory: string): readonly string[] {
  const directories = new Set<string>();
  for (let role = task.role; role; role = role.parent) directories.add(role.directory);
  return [...directories.add(dirname(task.file)).add(playbookDirectory)];
}
