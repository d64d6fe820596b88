import { Command } from 'commander';

import { loadInventory } from '../../inventory/load.ts';
import { selectHosts } from '../../inventory/select.ts';
import { toPlain } from '../../lib/value.ts';
import type { CommandContext } from '../context.ts';
import { addExamples, addInventoryOptions, inventoryOptions } from './options.ts';

/** `provision inventory`: what the inventory says, as the tool understands it. Variables are shown as written. */
export function inventoryCommand(_context: CommandContext): Command {
  const command = new Command('inventory').description(
    'show the hosts, groups and variables of an inventory',
  );
  addInventoryOptions(command);
  command.option('--json', 'hosts with their variables, and groups, as one JSON object');
  addExamples(command, [
    ['provision inventory', 'groups and their hosts'],
    ['provision inventory -l servers --json', 'the variables of some hosts, as written'],
  ]);
  return command.action(() => {
    const options = inventoryOptions(command);
    const inventory = loadInventory(options.inventory);
    const { hosts } = selectHosts(inventory, 'all', options.limit);
    if (command.opts<{ json?: true }>().json) {
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
