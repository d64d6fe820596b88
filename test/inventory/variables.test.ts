import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

import test from 'ava';
import fc from 'fast-check';

import { RANK, type Rank } from '../../src/inventory/inventory.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { byRank, hostLayers, loadVarsDirectories } from '../../src/inventory/variables.ts';

const cases = fileURLToPath(new URL('cases', import.meta.url));
const inventory = loadInventory(join(cases, 'yaml'));
const playbookVars = loadVarsDirectories(join(cases, 'playbook'));

test('the layers of a host are in Ansible’s order, those of the playbook among them', (t) => {
  const layers = hostLayers(inventory, playbookVars, 'web03').map(({ source, rank }) => [
    source.replace(`${cases}/`, ''),
    rank,
  ]);
  t.deepEqual(layers, [
    ['yaml/hosts.yml', RANK.inventoryGroups],
    ['yaml/hosts.yml', RANK.inventoryGroups],
    ['yaml/hosts.yml', RANK.inventoryGroups],
    ['yaml/group_vars/all.yml', RANK.inventoryGroupVarsAll],
    ['playbook/group_vars/all.yml', RANK.playbookGroupVarsAll],
    ['yaml/group_vars/web/a', RANK.inventoryGroupVars],
    ['yaml/group_vars/web/b.yml', RANK.inventoryGroupVars],
    ['playbook/group_vars/web.yml', RANK.playbookGroupVars],
    ['yaml/hosts.yml', RANK.inventoryHost],
    ['yaml/host_vars/web03.yaml', RANK.inventoryHostVars],
    ['playbook/host_vars/web03.yml', RANK.playbookHostVars],
  ]);
});

test('the implicit localhost has the variables of all hosts', (t) => {
  const sources = hostLayers(inventory, playbookVars, 'localhost').map((layer) =>
    layer.source.replace(`${cases}/`, ''),
  );
  t.deepEqual(sources, ['yaml/hosts.yml', 'yaml/group_vars/all.yml', 'playbook/group_vars/all.yml']);
});

test('a host that was added during the run has the variables of its groups', (t) => {
  const groups = new Map(inventory.groups).set('web', [...(inventory.groups.get('web') ?? []), 'new']);
  const sources = hostLayers({ ...inventory, groups }, playbookVars, 'new').map((layer) => layer.source);
  t.true(sources.includes(join(cases, 'yaml/group_vars/web/b.yml')));
  t.true(sources.includes(join(cases, 'playbook/group_vars/web.yml')));
});

test('a directory without variables has none', (t) => {
  const none = loadVarsDirectories('/no/such/directory');
  t.deepEqual(none.forGroup('all', RANK.playbookGroupVarsAll), []);
  t.deepEqual(none.forHost('web1', RANK.playbookHostVars), []);
});

test('a name that is a path leads nowhere', (t) => {
  t.deepEqual(loadVarsDirectories(cases).forHost('/etc/passwd', RANK.playbookHostVars), []);
});

test('layers are sorted by rank, and those of one rank keep their order', (t) => {
  const rank = fc.constantFrom<Rank>(...Object.values(RANK));
  fc.assert(
    fc.property(fc.array(rank), (ranks) => {
      const layers = ranks.map((value, index) => ({ source: String(index), values: new Map(), rank: value }));
      const sorted = byRank(layers);
      t.is(sorted.length, layers.length);
      for (const [index, layer] of sorted.entries()) {
        const next = sorted[index + 1];
        if (!next) continue;
        t.true(
          layer.rank < next.rank || (layer.rank === next.rank && Number(layer.source) < Number(next.source)),
        );
      }
    }),
  );
});
