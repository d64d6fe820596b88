import type { Problem, SourceLocation } from '../lib/errors.ts';
import type { Dict } from '../lib/value.ts';

/**
 * Where variables of hosts come from, in the order of Ansible's documentation: the higher number wins. Between them
 * stand role defaults (2) and facts (11).
 */
export const RANK = {
  inventoryGroups: 3,
  inventoryGroupVarsAll: 4,
  playbookGroupVarsAll: 5,
  inventoryGroupVars: 6,
  playbookGroupVars: 7,
  inventoryHost: 8,
  inventoryHostVars: 9,
  playbookHostVars: 10,
} as const;

export type Rank = (typeof RANK)[keyof typeof RANK];

/** Variables from one place, and the file they come from. Values are templates until used. */
export interface VariableLayer {
  readonly source: string;
  readonly values: Dict;
  readonly rank: Rank;
  readonly at?: SourceLocation;
}

/** A group's place in the order of groups, and its own variables. */
export interface Group {
  readonly name: string;
  /** The longest way from `all`, which has 0. */
  readonly depth: number;
  /** `ansible_group_priority`; of groups of one depth, the higher one is applied later and so wins. */
  readonly priority: number;
  readonly children: readonly string[];
  /** Those that it names itself, not those of its children. */
  readonly hosts: readonly string[];
  readonly layers: readonly VariableLayer[];
}

export interface Host {
  readonly name: string;
  /** All groups the host is in, parents first, `all` first of all; the order in which their variables are applied. */
  readonly groups: readonly string[];
  /** Variables from the inventory, weakest first: group variables of the file, group_vars/all, group_vars/*, host variables of the file, host_vars/*. */
  readonly layers: readonly VariableLayer[];
}

export interface Inventory {
  /** The inventory's directory (of hosts.yml), absolute: `inventory_dir`. */
  readonly directory: string;
  /** The inventory's file, absolute: `inventory_file`. */
  readonly file: string;
  /** In the order of the inventory. */
  readonly hosts: ReadonlyMap<string, Host>;
  /** Group name → names of hosts, in the order of the inventory. `all` and `ungrouped` are among them. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** What is known of the groups besides their hosts. */
  readonly groupTree: ReadonlyMap<string, Group>;
  /** What looks wrong and is not an error. */
  readonly warnings: readonly Problem[];
}
