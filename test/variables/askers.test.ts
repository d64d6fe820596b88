import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { siteVariables } from '../../src/commands/failover/variables.ts';
import { addressesIn } from '../../src/commands/provision/addresses.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { loadVarsDirectories } from '../../src/inventory/variables.ts';
import { SecretRegistry } from '../../src/lib/secret.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { runPlaybook } from '../../src/run/run-playbook.ts';
import { recordingTransport } from '../../src/transport/recording.ts';
import type { HostAddress } from '../../src/transport/transport.ts';
import { MAGIC_NAMES } from '../../src/variables/magic.ts';
import { renderStatic } from '../../src/variables/static.ts';

/**
 * Whoever asks for a host's variables gets the same answers: a task, another host's task by `hostvars`, the run that
 * connects, `trust` and `doctor`, and the settings of failover.
 */
const ASKERS = ['task', 'hostvars', 'connecting', 'trust and doctor', 'failover'] as const;

type Asker = (typeof ASKERS)[number];
/** What each gets to see; one that is not named sees what the first does. */
type Seen = Readonly<Partial<Record<Asker, string>>> & { readonly task: string };

const FILES: Readonly<Record<string, string>> = {
  'inventory/hosts.yml': `
all:
  children:
    web:
      hosts:
        web1.example:
          in_host: hosts.yml
          in_inventory_host_vars: hosts.yml
          inventory_dir_of_all: "{{ inventory_dir | basename }}"
          looked_up: "{{ lookup('vars', 'in_host') }} {{ query('inventory_hostnames', 'web') | join(',') }}"
        web2.example:
    other: {hosts: {db1: }}
`,
  'inventory/group_vars/all.yml':
    'in_inventory_all: inventory\nin_playbook_all: inventory\nin_group: inventory all\n',
  'inventory/group_vars/web.yml': 'in_group: inventory web\nin_playbook_group: inventory web\n',
  'inventory/host_vars/web1.example.yml':
    'in_inventory_host_vars: host_vars\nin_playbook_host: inventory\nin_extra: inventory\n',
  'group_vars/all.yml': 'in_playbook_all: playbook\nin_group: playbook all\n',
  'group_vars/web.yml': 'in_playbook_group: playbook web\n',
  'host_vars/web1.example.yml': 'in_playbook_host: playbook\nin_extra: playbook\nplaybook_dir: replaced\n',
};

const EXTRA = new Map([
  ['in_extra', 'command line'],
  ['ansible_check_mode', 'replaced'],
  ['groups', 'replaced'],
]);

/** An expression, and what everybody sees. DIR stands for the playbook's directory. */
const CASES: readonly (readonly [expression: string, Seen])[] = [
  ['inventory_hostname', { task: '"web1.example"' }],
  ['inventory_hostname_short', { task: '"web1"' }],
  ['inventory_dir', { task: '"DIR/inventory"' }],
  ['inventory_file', { task: '"DIR/inventory/hosts.yml"' }],
  ['ansible_inventory_sources', { task: '["DIR/inventory/hosts.yml"]' }],
  ['playbook_dir', { task: '"DIR"' }],
  ['group_names', { task: '["web"]' }],
  [
    'groups',
    {
      task: '{"all": ["web1.example", "web2.example", "db1"], "ungrouped": [], "web": ["web1.example", "web2.example"], "other": ["db1"]}',
    },
  ],
  ['hostvars | list', { task: '["web1.example", "web2.example", "db1"]' }],
  ["hostvars['web2.example'].inventory_hostname", { task: '"web2.example"' }],
  ["vars['in_host']", { task: '"hosts.yml"' }],
  ['ansible_play_name', { task: '"all"' }],
  ['ansible_play_hosts', { task: '["web1.example", "web2.example", "db1"]' }],
  ['ansible_play_hosts_all', { task: '["web1.example", "web2.example", "db1"]' }],
  ['ansible_play_batch', { task: '["web1.example", "web2.example", "db1"]' }],
  ['play_hosts', { task: '["web1.example", "web2.example", "db1"]' }],
  ['ansible_check_mode', { task: 'false' }],
  ['ansible_diff_mode', { task: 'false' }],
  ['ansible_verbosity', { task: '0' }],
  ['ansible_forks', { task: '7' }],
  ['ansible_run_tags', { task: '["all"]' }],
  ['ansible_skip_tags', { task: '[]' }],
  ['ansible_limit', { task: '"all"' }],
  ['ansible_facts', { task: '{}' }],
  ['ansible_version.string', { task: '"2.19.0"' }],
  ['ansible_config_file', { task: 'null' }],
  ['ansible_playbook_python', { task: '"/usr/bin/python3"' }],
  ['omit', { task: '"__omit_place_holder__understudy"' }],
  // What only a task has: in Ansible, too, nobody else sees it.
  [
    'ansible_search_path',
    {
      task: '["DIR/roles/outer", "DIR/roles/outer/tasks", "DIR"]',
      hostvars: '"-"',
      connecting: '"-"',
      'trust and doctor': '"-"',
      failover: '"-"',
    },
  ],
  ...(
    [
      ['role_name', '"outer"'],
      ['role_path', '"DIR/roles/outer"'],
      ['ansible_role_name', '"outer"'],
      ['ansible_collection_name', 'null'],
    ] as const
  ).map(([name, task]): readonly [string, Seen] => [
    name,
    { task, hostvars: '"-"', connecting: '"-"', 'trust and doctor': '"-"', failover: '"-"' },
  ]),
  ['ansible_parent_role_names', { task: '"-"' }],
  ['ansible_parent_role_paths', { task: '"-"' }],
  // Precedence, and what lookups see.
  ['in_host', { task: '"hosts.yml"' }],
  ['in_inventory_host_vars', { task: '"host_vars"' }],
  ['in_inventory_all', { task: '"inventory"' }],
  ['in_playbook_all', { task: '"playbook"' }],
  ['in_group', { task: '"inventory web"' }],
  ['in_playbook_group', { task: '"playbook web"' }],
  ['in_playbook_host', { task: '"playbook"' }],
  ['in_extra', { task: '"command line"' }],
  ['inventory_dir_of_all', { task: '"inventory"' }],
  ['looked_up', { task: '"hosts.yml web1.example,web2.example"' }],
];

/** Roles differ between the sites that ask: those of the playbook, and those that failover takes defaults from. */
const OF_ROLES = [
  'ansible_play_role_names',
  'role_names',
  'ansible_dependent_role_names',
  'ansible_role_names',
];

function layOut(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-askers-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

/** A template that gives all values, as text that no template can be mistaken for. */
function template(prefix: string): string {
  const values = CASES.map(([expression]) => {
    const [, base = ''] = /^([\w.]+)/.exec(expression) ?? [];
    return `{{ ((${prefix}${expression}) if ${prefix}${base} is defined else '-') | to_json }}`;
  });
  return values.join('␟');
}

async function answers(t: ExecutionContext): Promise<Readonly<Record<Asker, readonly string[]>>> {
  const directory = layOut(t, {
    ...FILES,
    'roles/outer/tasks/main.yml': `
- debug: {msg: ${JSON.stringify(`task ${template('')}`)}}
  when: inventory_hostname == 'web1.example'
- debug: {msg: ${JSON.stringify(`hostvars ${template("hostvars['web1.example'].")}`)}}
  when: inventory_hostname == 'web2.example'
- command: "true"
  when: inventory_hostname == 'web1.example'
`,
    'site.yml': '- hosts: all\n  gather_facts: false\n  roles: [outer]\n',
  });
  const inventory = loadInventory(join(directory, 'inventory'));
  const extraVars = new Map([...EXTRA, ['seen', template('')]]);
  const seen = new Map<string, string>();
  const addresses: HostAddress[] = [];
  const loaderOptions = { renderStatic: renderStatic(extraVars) };
  await runPlaybook({
    playbook: loadPlaybook(join(directory, 'site.yml'), loaderOptions),
    inventory,
    loaderOptions,
    transport: recordingTransport({ onConnect: (address) => void addresses.push(address) }),
    secrets: new SecretRegistry(),
    emit(event) {
      if (event.type !== 'result' || event.message === undefined) return;
      const [asker = '', ...rest] = event.message.split(' ');
      seen.set(asker, rest.join(' '));
    },
    signal: new AbortController().signal,
    settings: {
      checkMode: false,
      diffMode: false,
      tags: [],
      skipTags: [],
      extraVars: new Map([...extraVars, ['ansible_ssh_private_key_passphrase', '{{ seen }}']]),
      limit: 'all',
      forks: 7,
      startAtTask: undefined,
      forceHandlers: false,
      verbosity: 0,
      hostKeyChecking: 'strict',
      connectTimeoutMs: 1000,
    },
  });
  const known = addressesIn(inventory, {
    playbookVars: loadVarsDirectories(directory),
    extraVars,
    command: { limit: 'all', forks: 7 },
  });
  const failover = siteVariables({
    inventory,
    playbookDirectory: directory,
    extraVars,
    secrets: new SecretRegistry(),
    command: { limit: 'all', forks: 7 },
  });
  const split = (text: unknown): readonly string[] =>
    String(text)
      .split('␟')
      .map((value) => value.replaceAll(directory, 'DIR'));
  return {
    task: split(seen.get('task')),
    hostvars: split(seen.get('hostvars')),
    connecting: split(addresses[0]?.passphrase?.reveal()),
    'trust and doctor': split(known.site.variablesOf('web1.example').get('seen')),
    failover: split(failover.of('web1.example').get('seen')),
  };
}

test('whoever asks for a variable of a host gets the same value', async (t) => {
  const seen = await answers(t);
  for (const [index, [expression, expected]] of CASES.entries())
    for (const asker of ASKERS)
      t.is(seen[asker][index], expected[asker] ?? expected.task, `${expression}, asked for by ${asker}`);
});

test('the table above knows every magic variable', (t) => {
  const asked = CASES.map(([expression]) => /^\w+/.exec(expression)?.[0]);
  t.deepEqual(
    MAGIC_NAMES.filter((name) => !asked.includes(name)),
    OF_ROLES,
  );
});

interface Told {
  readonly messages: readonly string[];
  readonly addresses: readonly string[];
}

/** Runs a playbook of its own for `web1`; all roles show what `shown` says. */
async function tell(t: ExecutionContext, files: Readonly<Record<string, string>>): Promise<Told> {
  const directory = layOut(t, files);
  const messages: string[] = [];
  const addresses: string[] = [];
  const loaderOptions = { renderStatic: renderStatic(new Map()) };
  await runPlaybook({
    playbook: loadPlaybook(join(directory, 'site.yml'), loaderOptions),
    inventory: loadInventory(join(directory, 'hosts.yml')),
    loaderOptions,
    transport: recordingTransport({
      onConnect: ({ address, port }) => void addresses.push(`${address}:${port ?? ''}`),
    }),
    secrets: new SecretRegistry(),
    emit(event) {
      if (event.type === 'result' && event.message !== undefined && event.module === 'debug')
        messages.push(event.message.replaceAll(directory, 'DIR'));
    },
    signal: new AbortController().signal,
    settings: {
      checkMode: false,
      diffMode: false,
      tags: [],
      skipTags: [],
      extraVars: new Map(),
      limit: undefined,
      forks: 1,
      startAtTask: undefined,
      forceHandlers: false,
      verbosity: 0,
      hostKeyChecking: 'strict',
      connectTimeoutMs: 1000,
    },
  });
  return { messages, addresses };
}

// As ansible-core 2.14 answers the same playbooks.
test('a role knows the roles that include it; of one that depends on it, its files alone are searched', async (t) => {
  const show = (name: string): string =>
    `- debug: msg="${name} {{ ansible_parent_role_names | default('none') }} {{ ansible_parent_role_paths | default('none') }} {{ ansible_search_path }}"\n`;
  const { messages } = await tell(t, {
    'hosts.yml': 'all: {hosts: {web1: {ansible_parent_role_names: of the host}}}\n',
    'site.yml': `
- hosts: all
  gather_facts: false
  roles: [outer]
  tasks:
    - debug: msg="{{ ansible_role_names }} {{ role_names }} {{ ansible_dependent_role_names }} {{ ansible_search_path }}"
    - include_role: {name: inner}
    - include_tasks: more/tasks.yml
`,
    'more/tasks.yml': '- debug: msg="{{ ansible_search_path }}"\n',
    'roles/outer/meta/main.yml': 'dependencies: [needed]\n',
    'roles/needed/tasks/main.yml': show('needed'),
    'roles/outer/tasks/main.yml': `${show('outer')}- include_tasks: deep/more.yml\n`,
    'roles/outer/tasks/deep/more.yml': show('deep'),
    'roles/inner/tasks/main.yml': `${show('inner')}- include_role: {name: leaf}\n`,
    'roles/leaf/tasks/main.yml': show('leaf'),
  });
  t.deepEqual(messages, [
    "needed of the host none ['DIR/roles/needed', 'DIR/roles/outer', 'DIR/roles/needed/tasks', 'DIR']",
    "outer of the host none ['DIR/roles/outer', 'DIR/roles/outer/tasks', 'DIR']",
    "deep of the host none ['DIR/roles/outer', 'DIR/roles/outer/tasks/deep', 'DIR']",
    "['outer', 'needed'] ['outer'] ['needed'] ['DIR']",
    "inner of the host none ['DIR/roles/inner', 'DIR/roles/inner/tasks', 'DIR']",
    "leaf ['inner'] ['DIR/roles/inner'] ['DIR/roles/leaf', 'DIR/roles/inner', 'DIR/roles/leaf/tasks', 'DIR']",
    '["DIR/more","DIR"]',
  ]);
});

test('a play can replace what an inventory says of a host, and nothing that is said of the run', async (t) => {
  const names = ['inventory_hostname', 'group_names', 'ansible_facts', 'playbook_dir', 'ansible_play_hosts'];
  const { messages } = await tell(t, {
    'hosts.yml': 'all: {hosts: {web1: }}\n',
    'site.yml': `
- hosts: "{{ groups['all'] }}"
  gather_facts: false
  vars: {${names.map((name) => `${name}: play`).join(', ')}}
  tasks:
    - debug: msg="${names.map((name) => `{{ ${name} }}`).join(' ')}"
`,
  });
  t.deepEqual(messages, ["play play play DIR ['web1']"]);
});

test('a host is connected to with the variables of the play and of the task', async (t) => {
  const { addresses } = await tell(t, {
    'hosts.yml':
      'all: {hosts: {web1: {ansible_host: "{{ ansible_play_name }}-{{ role_name | default(\'none\') }}-{{ name }}"}}}\n',
    'site.yml': `
- name: p
  hosts: all
  gather_facts: false
  vars: {name: play, ansible_port: 2201}
  tasks:
    - {command: "true", vars: {name: task}}
    - {command: "true"}
    - {command: "true", vars: {ansible_port: 2202}}
    - {command: "true"}
    - include_role: {name: r}
`,
    'roles/r/tasks/main.yml': '- command: "true"\n',
  });
  t.deepEqual(addresses, ['p-none-task:2201', 'p-none-play:2201', 'p-none-play:2202', 'p-r-play:2201']);
});

test('hostvars know the play that runs, whoever asked before it began', async (t) => {
  const show = `[{debug: {msg: "{{ hostvars['web1'].ansible_play_name }}"}}]`;
  const { messages } = await tell(t, {
    'hosts.yml': 'all: {hosts: {web1: }}\n',
    'site.yml': `
- {name: one, hosts: all, gather_facts: false, tasks: ${show}}
- {name: "two of {{ hostvars['web1'].ansible_play_name }}", hosts: all, gather_facts: false, tasks: ${show}}
`,
  });
  t.deepEqual(messages, ['one', 'two of one']);
});

test('what is done on this machine needs no address', async (t) => {
  const { addresses } = await tell(t, {
    'hosts.yml': 'all: {hosts: {web1: {ansible_connection: local, ansible_host: "{{ known_later }}"}}}\n',
    'site.yml': `
- hosts: all
  gather_facts: false
  tasks:
    - {command: "true", register: ran}
    - {assert: {that: ran is success}}
`,
  });
  t.deepEqual(addresses, []);
});
