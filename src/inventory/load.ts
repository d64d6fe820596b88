import { existsSync, statSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';

import { type Problem, UserError } from '../lib/errors.ts';
import { isExecutable } from '../lib/is-executable.ts';
import { holdsPrivateKey, isSecretFile, withoutText } from '../lib/secret-file.ts';
import { openedText } from '../lib/vault.ts';
import { parseYaml, readText } from '../lib/yaml.ts';
import { type BuiltGroup, InventoryBuilder, type BuiltHost, setVariable } from './builder.ts';
import { parseHostPattern, RangeProblem } from './host-range.ts';
import { inventoryFiles } from './inventory-files.ts';
import { readIniInventory } from './ini.ts';
import { type Group, type Host, type Inventory, RANK, type Rank, type VariableLayer } from './inventory.ts';
import { byRank, inOrder, loadVarsDirectories, type VarsDirectories } from './variables.ts';
import { readYamlInventory } from './yaml-inventory.ts';

/**
 * Loads an inventory: a file (YAML or INI), a directory of them with their group_vars/ and host_vars/, or a list of
 * names with a comma in it (`web1,web2,`). All errors are thrown at once.
 */
export function loadInventory(path: string): Inventory {
  const builder = new InventoryBuilder();
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const absolute = resolve(path);
  const isNameList = path.includes(',') && !existsSync(path);
  let files: readonly string[] = [];
  if (isNameList) readNameList(path, builder, problems);
  else {
    if (!existsSync(absolute)) {
      throw new UserError({
        message: `there is no inventory ${path}`,
        hint: 'a list of hosts needs a comma, even with one host: "web1,"',
      });
    }
    const found = inventoryFiles(absolute);
    ({ files } = found);
    warnings.push(...found.warnings);
    problems.push(...found.problems);
    for (const file of files) readFile(file, builder, problems);
  }
  builder.reconcile();
  const directory = isNameList
    ? process.cwd()
    : statSync(absolute).isDirectory()
      ? absolute
      : dirname(absolute);
  const vars = isNameList ? undefined : loadVarsDirectories(directory);
  const groupTree = groupsOf(builder, vars, problems);
  const hosts = new Map<string, Host>();
  for (const name of builder.hostsBelow('all')) {
    hosts.set(name, hostOf(builder.hosts.get(name) as BuiltHost, builder, groupTree, vars, problems));
  }
  warnings.push(...sameNames(builder));
  if (problems.length > 0) throw new UserError(problems);
  return {
    directory,
    file: files[0] ?? directory,
    hosts,
    groups: new Map([...builder.groups.keys()].map((name) => [name, builder.hostsBelow(name)])),
    groupTree,
    warnings,
  };
}

function readNameList(list: string, builder: InventoryBuilder, problems: Problem[]): void {
  for (const pattern of list.split(',').map((item) => item.trim())) {
    if (pattern === '') continue;
    try {
      const { names, port } = parseHostPattern(pattern);
      for (const name of names) {
        const host = builder.addHost(name, 'ungrouped');
        const at = { file: list, line: 1, column: 1 };
        if (port !== undefined) setVariable(host, 'ansible_port', port, at);
      }
    } catch (error) {
      if (!(error instanceof RangeProblem)) throw error;
      problems.push({ message: `inventory ${list}: ${error.message}` });
    }
  }
}

function readFile(file: string, builder: InventoryBuilder, problems: Problem[]): void {
  const found = attempt(() => readSource(file, builder));
  problems.push(...(isSecretFile(file) ? found.map((problem) => withoutText(problem)) : found));
}

function readSource(file: string, builder: InventoryBuilder): readonly Problem[] {
  const text = openedText(readText(file), file);
  if (holdsPrivateKey(text)) {
    return [{ message: `${file} holds a private key: it is no inventory`, hint: 'list the hosts in a file' }];
  }
  if (text.startsWith('#!') && isExecutable(file)) {
    return [{ message: `${file}: inventory scripts are not supported`, hint: 'list the hosts in a file' }];
  }
  if (extname(file) === '.toml') {
    return [{ message: `${file}: TOML inventories are not supported`, hint: 'write it as YAML or INI' }];
  }
  return isYaml(file, text)
    ? readYamlInventory(parseYaml(text, file), builder)
    : readIniInventory(text, file, builder);
}

/** Without an extension, the first line with something in it tells. */
function isYaml(file: string, text: string): boolean {
  const extension = extname(file);
  if (['.yml', '.yaml', '.json'].includes(extension)) return true;
  if (extension !== '') return false;
  const first = text.split('\n').find((line) => line.trim() !== '' && !/^\s*[#;]/.test(line)) ?? '';
  return /^(?:---|[\w.-]+:\s*(?:\{.*)?(?:#.*)?$|\{)/.test(first);
}

function groupsOf(
  builder: InventoryBuilder,
  vars: VarsDirectories | undefined,
  problems: Problem[],
): ReadonlyMap<string, Group> {
  const groups = [...builder.groups.values()].map((group): Group => {
    const rank = group.name === 'all' ? RANK.inventoryGroupVarsAll : RANK.inventoryGroupVars;
    return {
      name: group.name,
      depth: builder.depth(group.name),
      priority: group.priority,
      children: group.children,
      hosts: group.hosts,
      layers: [
        ...ownLayer(group, RANK.inventoryGroups),
        ...collect(problems, () => vars?.forGroup(group.name, rank) ?? []),
      ],
    };
  });
  return new Map(groups.map((group) => [group.name, group]));
}

function hostOf(
  host: BuiltHost,
  builder: InventoryBuilder,
  groupTree: ReadonlyMap<string, Group>,
  vars: VarsDirectories | undefined,
  problems: Problem[],
): Host {
  const names = new Set(['all']);
  for (const group of builder.groups.values()) {
    if (!group.hosts.includes(host.name)) continue;
    names.add(group.name);
    for (const ancestor of builder.ancestors(group.name)) names.add(ancestor);
  }
  const groups = inOrder([...names].flatMap((name) => groupTree.get(name) ?? []));
  return {
    name: host.name,
    groups: groups.map((group) => group.name),
    layers: byRank([
      ...groups.flatMap((group) => group.layers),
      ...ownLayer(host, RANK.inventoryHost),
      ...collect(problems, () => vars?.forHost(host.name, RANK.inventoryHostVars) ?? []),
    ]),
  };
}

function ownLayer(owner: BuiltGroup | BuiltHost, rank: Rank): readonly VariableLayer[] {
  const { values, source, at } = owner.variables;
  if (values.size === 0 || source === undefined) return [];
  return [{ source, values, rank, ...(at ? { at } : {}) }];
}

function attempt(work: () => readonly Problem[]): readonly Problem[] {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems;
  }
}

function collect<T>(problems: Problem[], work: () => readonly T[]): readonly T[] {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    problems.push(...error.problems);
    return [];
  }
}

function sameNames(builder: InventoryBuilder): readonly Problem[] {
  return [...builder.hosts.keys()]
    .filter((name) => builder.groups.has(name))
    .map((name) => ({
      message: `"${name}" is both a group and a host`,
      hint: 'a pattern with this name means the host',
    }));
}
