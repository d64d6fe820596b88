import { Command } from 'commander';

import { loadInventory } from '../../inventory/load.ts';
import { selectHosts } from '../../inventory/select.ts';
import { UserError } from '../../lib/errors.ts';
import { didYouMean } from '../../lib/similar.ts';
import { toPlain } from '../../lib/value.ts';
import type { CommandContext } from '../context.ts';
import { asGraph, asList, hostVariables } from './inventory-shapes.ts';
import { addExamples, addInventoryOptions, inventoryOptions } from './options.ts';

interface Shape {
  readonly json?: true;
  readonly list?: true;
  readonly host?: string;
  readonly graph?: true | string;
  readonly vars?: true;
}

function unknown(what: string, name: string, known: readonly string[]): UserError {
  const hint = didYouMean(name, known) ?? `there are ${known.join(', ')}`;
  return new UserError({ message: `the inventory has no ${what} "${name}"`, hint });
}

/** `provision inventory`: what the inventory says, as the tool understands it. Variables are shown as written. */
export function inventoryCommand(_context: CommandContext): Command {
  const command = new Command('inventory').description(
    'show the hosts, groups and variables of an inventory',
  );
  addInventoryOptions(command);
  command
    .option('--json', 'hosts with their variables, and groups, as one JSON object')
    .option('--list', 'the same in the shape of ansible-inventory, for programs that read that')
    .option('--host <name>', 'the variables of one host, in that shape')
    .option('--graph [group]', 'groups as a tree, from all or from one of them')
    .option('--vars', 'with --graph: the variables of groups and hosts, too');
  addExamples(command, [
    ['provision inventory', 'groups and their hosts'],
    ['provision inventory -l servers --json', 'the variables of some hosts, as written'],
    ['provision inventory --graph servers --vars', 'a group, what is below it, and all variables'],
  ]);
  return command.action(() => {
    const options = inventoryOptions(command);
    const inventory = loadInventory(options.inventory);
    const { hosts } = selectHosts(inventory, 'all', options.limit);
    const shape = command.opts<Shape>();
    const asJson = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value, null, 4)}\n`);
    if (shape.list) {
      asJson(asList(inventory, hosts));
      return;
    }
    if (shape.host !== undefined) {
      const names = [...inventory.hosts.keys()];
      if (!names.includes(shape.host)) throw unknown('host', shape.host, names);
      asJson(hostVariables(inventory, shape.host));
      return;
    }
    if (shape.graph !== undefined) {
      const top = shape.graph === true ? 'all' : shape.graph;
      const names = [...inventory.groupTree.keys()];
      if (!names.includes(top)) throw unknown('group', top, names);
      process.stdout.write(asGraph(inventory, hosts, top, shape.vars === true));
      return;
    }
    if (shape.json) {
      const variables = hosts.map((name) => {
        const merged: Record<string, unknown> = {};
        for (const layer of inventory.hosts.get(name)?.layers ?? []) {
          Object.assign(merged, toPlain(layer.values));
        }
        return [name, merged] as const;
      });
      const groups = [...inventory.groups].map(([name, members]) => [name, members] as const);
      const all = { hosts: Object.fromEntries(variables), groups: Object.fromEntries(groups) };
      process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
      return;
    }
    for (const [group, members] of inventory.groups) {
      const shown = members.filter((name) => hosts.includes(name));
      if (group === 'all' || shown.length === 0) continue;
      process.stdout.write(`${group}:\n${shown.map((name) => `  ${name}\n`).join('')}`);
    }
  });
}
