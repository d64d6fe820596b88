import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { connectEarly } from '../../../src/commands/provision/early-connections.ts';
import { listRun } from '../../../src/commands/provision/list-run.ts';
import type { RunOptions } from '../../../src/commands/provision/options.ts';
import { loadVarsDirectories } from '../../../src/inventory/variables.ts';
import { type Loaded, loadRun, runSettings } from '../../../src/commands/provision/run-load.ts';

const INVENTORY = `
all:
  children:
    red: { hosts: { one: { kept: true }, two: { kept: false } } }
    blue: { hosts: { three: {} } }
`;
const PLAYBOOK = `
- name: Those that are kept
  hosts: "{{ groups['all'] | zip(groups['all'] | map('extract', hostvars) | map(attribute='kept', default=true)) | selectattr(1) | map('first') | list }}"
  gather_facts: false
  tasks: [{ name: Nothing, ansible.builtin.meta: noop }]
- hosts: "{{ kind | default('red') }}:!one"
  gather_facts: false
  tasks: [{ name: Nothing, ansible.builtin.meta: noop }]
- hosts: red
  gather_facts: false
  tasks: [{ name: Nothing, ansible.builtin.meta: noop }]
`;

async function loaded(
  t: ExecutionContext,
  options: Partial<RunOptions> = {},
): Promise<{ readonly run: Loaded; readonly options: RunOptions }> {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-list-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const inventory = join(directory, 'hosts.yml');
  const playbook = join(directory, 'play.yml');
  writeFileSync(inventory, INVENTORY);
  writeFileSync(playbook, PLAYBOOK);
  const all: RunOptions = {
    inventory,
    tags: [],
    skipTags: [],
    extraVariables: new Map(),
    check: false,
    diff: false,
    json: false,
    verbose: 0,
    forks: 2,
    list: ['hosts'],
    yes: false,
    syntaxCheck: false,
    forceHandlers: false,
    ...options,
  };
  return { run: await loadRun(playbook, all), options: all };
}

const blocksOf = (text: string): readonly string[] =>
  text
    .split('\n\n')
    .slice(1)
    .map((block) => block.trim().split('\n').slice(1).join(' ').replaceAll(/ +/g, ' ').trim());

test('the list of hosts has those of plays that work theirs out', async (t) => {
  const { run, options } = await loaded(t);
  t.deepEqual(blocksOf(listRun(run, options)), [
    'hosts (2): one three',
    'hosts (1): two',
    'hosts (2): one two',
  ]);
});

test('a variable of the command line counts in it, and so does --limit', async (t) => {
  const { run, options } = await loaded(t, { extraVariables: new Map([['kind', 'all']]), limit: 'blue' });
  t.deepEqual(blocksOf(listRun(run, options)), ['hosts (1): three', 'hosts (1): three', 'hosts (0):']);
});

test('the hosts of the first play that names them are connected to at once', async (t) => {
  const { run, options } = await loaded(t);
  const asked: string[] = [];
  const sources = {
    playbookVars: loadVarsDirectories(run.playbook.directory),
    extraVars: options.extraVariables,
    command: runSettings(options),
  };
  connectEarly(
    {
      connect: async (address) => {
        asked.push(address.name);
        throw new Error('nobody is there');
      },
      close: async () => {},
    },
    run.inventory,
    run.playbook,
    { ...sources, forks: 5 },
  );
  t.deepEqual(asked, ['one', 'two']);
});
