import type { Group, Inventory } from '../../inventory/inventory.ts';
import { toPlain, type Dict, type Value } from '../../lib/value.ts';
import { str } from '../../template/python/text.ts';

/** The shapes in which `ansible-inventory` shows an inventory, and which other programs read. */

/** A host's variables as they are written, those of its groups among them. */
export function hostVariables(inventory: Inventory, host: string): Readonly<Record<string, unknown>> {
  return plain(merged(inventory.hosts.get(host)?.layers ?? []));
}

/** `--list`: every group with its own hosts and children, and the hosts' variables below `_meta`. */
export function asList(inventory: Inventory, hosts: readonly string[]): Readonly<Record<string, unknown>> {
  const variables = [...hosts]
    .sort()
    .map((host) => [host, hostVariables(inventory, host)] as const)
    .filter(([, values]) => Object.keys(values).length > 0);
  const groups = [...inventory.groupTree.values()].flatMap((group) => {
    const own = ownHosts(group, hosts);
    const { children } = group;
    if (own.length === 0 && children.length === 0) return [];
    return [
      [
        group.name,
        { ...(children.length === 0 ? {} : { children }), ...(own.length === 0 ? {} : { hosts: own }) },
      ] as const,
    ];
  });
  return {
    _meta: { hostvars: Object.fromEntries(variables) },
    ...Object.fromEntries(groups.sort(([one], [other]) => (one < other ? -1 : 1))),
  };
}

/** `--graph`: a group with what is below it, one a line; with its variables, when they are asked for. */
export function asGraph(
  inventory: Inventory,
  hosts: readonly string[],
  top: string,
  withVariables: boolean,
): string {
  const variables = (values: Dict, depth: number): string[] =>
    withVariables
      ? [...values]
          .sort(([one], [other]) => (String(one) < String(other) ? -1 : 1))
          .map(([name, value]) => indented(`{${String(name)} = ${str(value)}}`, depth))
      : [];
  const below = (name: string, depth: number): string[] => {
    const group = inventory.groupTree.get(name);
    if (!group) return [];
    return [
      indented(`@${name}:`, depth),
      ...group.children.flatMap((child) => below(child, depth + 1)),
      ...ownHosts(group, hosts).flatMap((host) => [
        indented(host, depth + 1),
        ...variables(merged(inventory.hosts.get(host)?.layers ?? []), depth + 2),
      ]),
      ...variables(merged(group.layers), depth + 1),
    ];
  };
  return below(top, 0)
    .map((line) => `${line}\n`)
    .join('');
}

function indented(text: string, depth: number): string {
  return depth === 0 ? text : `${'  |'.repeat(depth)}--${text}`;
}

/** Hosts of `all` alone are those of `ungrouped`, and shown there. */
function ownHosts(group: Group, hosts: readonly string[]): readonly string[] {
  return group.name === 'all' ? [] : group.hosts.filter((host) => hosts.includes(host));
}

function merged(layers: Group['layers']): Dict {
  return new Map<Value, Value>(layers.flatMap((layer) => [...layer.values]));
}

function plain(values: Dict): Readonly<Record<string, unknown>> {
  const rows = [...values].map(([name, value]) => [String(name), toPlain(value)] as const);
  return Object.fromEntries(rows.sort(([one], [other]) => (one < other ? -1 : 1)));
}
