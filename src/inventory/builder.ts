import type { SourceLocation } from '../lib/errors.ts';
import type { Value } from '../lib/value.ts';

interface BuiltVariables {
  readonly values: Map<Value, Value>;
  source: string | undefined;
  at: SourceLocation | undefined;
}

/** A group while the inventory's files are being read. */
export interface BuiltGroup {
  readonly name: string;
  readonly children: string[];
  readonly parents: string[];
  readonly hosts: string[];
  readonly variables: BuiltVariables;
  priority: number;
}

/** A host while the inventory's files are being read. */
export interface BuiltHost {
  readonly name: string;
  readonly variables: BuiltVariables;
}

/** Collects what the files of an inventory say; later files add to and override earlier ones. */
export class InventoryBuilder {
  readonly groups = new Map<string, BuiltGroup>();
  readonly hosts = new Map<string, BuiltHost>();

  constructor() {
    this.addGroup('all');
    this.addGroup('ungrouped');
    this.addChild('all', 'ungrouped');
  }

  addGroup(name: string): BuiltGroup {
    let group = this.groups.get(name);
    if (!group) {
      group = { name, children: [], parents: [], hosts: [], variables: noVariables(), priority: 1 };
      this.groups.set(name, group);
    }
    return group;
  }

  /** Whether it could be done: a group cannot be below itself. */
  addChild(parentName: string, childName: string): boolean {
    if (parentName === childName || this.ancestors(parentName).has(childName)) return false;
    const parent = this.addGroup(parentName);
    const child = this.addGroup(childName);
    if (!parent.children.includes(childName)) parent.children.push(childName);
    if (!child.parents.includes(parentName)) child.parents.push(parentName);
    return true;
  }

  addHost(name: string, groupName: string): BuiltHost {
    let host = this.hosts.get(name);
    if (!host) {
      host = { name, variables: noVariables() };
      this.hosts.set(name, host);
    }
    const group = this.addGroup(groupName);
    if (!group.hosts.includes(name)) group.hosts.push(name);
    return host;
  }

  ancestors(name: string): ReadonlySet<string> {
    const found = new Set<string>();
    const visit = (current: string): void => {
      for (const parent of this.groups.get(current)?.parents ?? []) {
        if (found.has(parent)) continue;
        found.add(parent);
        visit(parent);
      }
    };
    visit(name);
    return found;
  }

  /** Every group is below `all`; a host in no group of its own is in `ungrouped`, and only such a one. */
  reconcile(): void {
    for (const group of this.groups.values()) {
      if (group.name !== 'all' && this.ancestors(group.name).size === 0) this.addChild('all', group.name);
    }
    const ungrouped = this.addGroup('ungrouped');
    const grouped = new Set<string>();
    for (const group of this.groups.values()) {
      if (group.name === 'all' || group.name === 'ungrouped') continue;
      for (const host of group.hosts) grouped.add(host);
    }
    const left = ungrouped.hosts.filter((host) => !grouped.has(host));
    ungrouped.hosts.splice(0, ungrouped.hosts.length, ...left);
    for (const host of this.hosts.keys()) {
      if (!grouped.has(host) && !ungrouped.hosts.includes(host)) ungrouped.hosts.push(host);
    }
  }

  /** The longest way from `all`. */
  depth(name: string): number {
    const parents = this.groups.get(name)?.parents ?? [];
    return parents.length === 0 ? 0 : 1 + Math.max(...parents.map((parent) => this.depth(parent)));
  }

  /** The hosts of a group and of those below it, level by level, as Ansible lists them. */
  hostsBelow(name: string): readonly string[] {
    const groups: string[] = [name];
    for (let index = 0; index < groups.length; index++) {
      for (const child of this.groups.get(groups[index] as string)?.children ?? []) {
        if (!groups.includes(child)) groups.push(child);
      }
    }
    return [...new Set(groups.flatMap((group) => this.groups.get(group)?.hosts ?? []))];
  }
}

/** Sets a variable and remembers where variables of its kind came from. */
export function setVariable(
  into: { readonly variables: BuiltVariables },
  name: Value,
  value: Value,
  at: SourceLocation,
): void {
  into.variables.values.set(name, value);
  into.variables.source ??= at.file;
  into.variables.at ??= at;
}

function noVariables(): BuiltVariables {
  return { values: new Map(), source: undefined, at: undefined };
}
