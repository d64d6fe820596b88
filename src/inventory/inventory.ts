import type { Dict } from '../lib/value.ts';

/** Variables from one place, and the file they come from. Values are templates until used. */
export interface VariableLayer {
  readonly source: string;
  readonly values: Dict;
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
}
