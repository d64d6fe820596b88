import { statSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';

import { UserError } from '../lib/errors.ts';
import { isDict } from '../lib/value.ts';
import { readYaml } from '../lib/yaml.ts';
import { type Group, type Inventory, RANK, type Rank, type VariableLayer } from './inventory.ts';

const EXTENSIONS = ['', '.yml', '.yaml', '.json'];

/** The group_vars/ and host_vars/ of one directory. Files are read when they are asked for, and once. */
export interface VarsDirectories {
  readonly directory: string;
  forGroup(name: string, rank: Rank): readonly VariableLayer[];
  forHost(name: string, rank: Rank): readonly VariableLayer[];
}

/** Opens the group_vars/ and host_vars/ beside an inventory or a playbook. */
export function loadVarsDirectories(directory: string): VarsDirectories {
  const cache = new Map<string, readonly VariableLayer[]>();
  const read = (kind: 'group_vars' | 'host_vars', name: string, rank: Rank): readonly VariableLayer[] => {
    const key = `${kind}/${name}/${rank}`;
    let layers = cache.get(key);
    if (!layers) {
      layers = varsFiles(join(directory, kind), name).map((file) => readLayer(file, rank));
      cache.set(key, layers);
    }
    return layers;
  };
  return {
    directory,
    forGroup: (name, rank) => read('group_vars', name, rank),
    forHost: (name, rank) => read('host_vars', name, rank),
  };
}

/**
 * A host's variables from its inventory and from the directories beside the playbook, weakest first. It may be a host
 * that the inventory does not list (the implicit localhost, or one of add_host): the groups are then `all` and those
 * that list it.
 */
export function hostLayers(
  inventory: Inventory,
  playbookVars: VarsDirectories,
  hostName: string,
): readonly VariableLayer[] {
  const host = inventory.hosts.get(hostName);
  const groups = groupsOf(inventory, hostName);
  const ofInventory =
    host && host.layers.length > 0
      ? host.layers
      : [...groups.flatMap((group) => inventory.groupTree.get(group)?.layers ?? []), ...(host?.layers ?? [])];
  const ofPlaybook = [
    ...groups.flatMap((group) =>
      playbookVars.forGroup(group, group === 'all' ? RANK.playbookGroupVarsAll : RANK.playbookGroupVars),
    ),
    ...playbookVars.forHost(hostName, RANK.playbookHostVars),
  ];
  return byRank([...ofInventory, ...ofPlaybook]);
}

/** Layers in the order in which they are applied. The order within one rank is kept. */
export function byRank(layers: readonly VariableLayer[]): readonly VariableLayer[] {
  return [...layers].sort((a, b) => a.rank - b.rank);
}

/** Groups in the order in which their variables are applied: by depth, then priority, then name. */
export function inOrder(groups: readonly Group[]): readonly Group[] {
  return [...groups].sort(
    (a, b) =>
      a.depth - b.depth || a.priority - b.priority || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
}

function groupsOf(inventory: Inventory, hostName: string): readonly string[] {
  const listing = [...inventory.groups].filter(([, hosts]) => hosts.includes(hostName)).map(([name]) => name);
  const groups = [...new Set(['all', ...listing])].map(
    (name) =>
      inventory.groupTree.get(name) ?? { name, depth: 1, priority: 1, children: [], hosts: [], layers: [] },
  );
  return inOrder(groups).map((group) => group.name);
}

/** The files for one name: `NAME`, `NAME.yml`, … of which the first counts; a directory stands for all files in it. */
function varsFiles(directory: string, name: string): readonly string[] {
  // A name like /srv/chroot would lead out of the directory.
  if (name.startsWith('/')) return [];
  for (const extension of EXTENSIONS) {
    const path = join(directory, `${name}${extension}`);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return filesBelow(path);
    if (stat) return [path];
  }
  return [];
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory)
    .sort()
    .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
    .flatMap((name) => {
      const path = join(directory, name);
      const extension = extname(name);
      if (statSync(path).isDirectory()) return extension === '' ? filesBelow(path) : [];
      return EXTENSIONS.includes(extension) ? [path] : [];
    });
}

function readLayer(file: string, rank: Rank): VariableLayer {
  const document = readYaml(file);
  const { value } = document;
  if (value !== null && !isDict(value)) {
    throw new UserError(document.problem(document.start, 'a file of variables is a dictionary'));
  }
  return { source: file, values: value ?? new Map(), rank, at: document.start };
}
