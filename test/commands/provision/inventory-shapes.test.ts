import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import test from 'ava';

import { asGraph, asList, hostVariables } from '../../../src/commands/provision/inventory-shapes.ts';
import { loadInventory } from '../../../src/inventory/load.ts';

const FILES: Readonly<Record<string, string>> = {
  'hosts.yml': `
all:
  hosts:
    lone: {}
  children:
    servers:
      children:
        web: {hosts: {web1: {ansible_host: 10.0.0.1, x: "{{ y }}"}, web2: {}}}
        db: {hosts: {db1: {}, web2: {}}}
      vars: {s: 1}
    empty: {}
`,
  'group_vars/web.yml': 'w: [1, {a: 2}]\n',
  'host_vars/web1.yml': 'h: true\n',
};

const directory = mkdtempSync(join(tmpdir(), 'inventory-'));
for (const [path, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}
test.after.always(() => rmSync(directory, { recursive: true }));

const inventory = loadInventory(join(directory, 'hosts.yml'));
const all = [...inventory.hosts.keys()];

// What is expected is what ansible-inventory prints for these files.
test('the list has groups with their own hosts and children, and variables of hosts that have any', (t) => {
  const web1 = { ansible_host: '10.0.0.1', h: true, s: 1, w: [1, { a: 2 }], x: '{{ y }}' };
  t.is(
    JSON.stringify(asList(inventory, all)),
    JSON.stringify({
      _meta: { hostvars: { db1: { s: 1 }, web1, web2: { s: 1, w: [1, { a: 2 }] } } },
      all: { children: ['ungrouped', 'servers', 'empty'] },
      db: { hosts: ['db1', 'web2'] },
      servers: { children: ['web', 'db'] },
      ungrouped: { hosts: ['lone'] },
      web: { hosts: ['web1', 'web2'] },
    }),
  );
  t.is(JSON.stringify(hostVariables(inventory, 'web1')), JSON.stringify(web1));
});

test('a limit leaves out hosts, and groups that have nothing then', (t) => {
  t.is(
    JSON.stringify(asList(inventory, ['web1'])),
    JSON.stringify({
      _meta: { hostvars: { web1: hostVariables(inventory, 'web1') } },
      all: { children: ['ungrouped', 'servers', 'empty'] },
      servers: { children: ['web', 'db'] },
      web: { hosts: ['web1'] },
    }),
  );
});

test('the graph is a tree of groups, hosts below them', (t) => {
  t.is(
    asGraph(inventory, all, 'all', false),
    `@all:
  |--@ungrouped:
  |  |--lone
  |--@servers:
  |  |--@web:
  |  |  |--web1
  |  |  |--web2
  |  |--@db:
  |  |  |--db1
  |  |  |--web2
  |--@empty:
`,
  );
});

test('variables of hosts and groups are shown as Python does', (t) => {
  t.is(
    asGraph(inventory, all, 'web', true),
    `@web:
  |--web1
  |  |--{ansible_host = 10.0.0.1}
  |  |--{h = True}
  |  |--{s = 1}
  |  |--{w = [1, {'a': 2}]}
  |  |--{x = {{ y }}}
  |--web2
  |  |--{s = 1}
  |  |--{w = [1, {'a': 2}]}
  |--{w = [1, {'a': 2}]}
`,
  );
});
