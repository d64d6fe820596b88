import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { query, type FactKind } from '../../src/facts/fact.ts';
import { FactCache } from '../../src/run/host/gather.ts';
import { scriptedRuns, type ScriptedOptions } from './scripted-run.ts';

/** `AT` is a directory of the test's own; what is read after a change is registered as `s`. */
interface Case {
  readonly playbook: string;
  readonly inventory?: string;
  /** Something that happens on the host by itself, before the script of this number runs. */
  readonly happens?: { readonly file: string; readonly before: number };
}

const CASES: Readonly<Record<string, Case>> = {
  'a command that is said to change nothing': {
    playbook: `
- stat: {path: AT/a}
- command: touch AT/a
  changed_when: false
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'a command that fails and is said to change nothing': {
    playbook: `
- stat: {path: AT/a}
- shell: touch AT/a; exit 3
  changed_when: false
  ignore_errors: true
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'a command that is said not to have failed': {
    playbook: `
- stat: {path: AT/a}
- raw: touch AT/a; exit 3
  failed_when: false
  changed_when: false
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'a task that was rescued': {
    playbook: `
- stat: {path: AT/a}
- block:
    - shell: touch AT/a; exit 3
      changed_when: false
  rescue:
    - stat: {path: AT/a}
      register: s
- assert: {that: s.stat.exists}
`,
  },
  'a task that cannot be judged': {
    playbook: `
- stat: {path: AT/a}
- command: touch AT/a
  changed_when: nothing.of.the.kind
  ignore_errors: true
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'a step that failed half way': {
    playbook: `
- stat: {path: AT/d}
- file: {path: AT/d/e/f, state: directory, owner: nobody-of-this-name}
  ignore_errors: true
- stat: {path: AT/d}
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'a command of a loop': {
    playbook: `
- stat: {path: AT/a}
- command: touch AT/{{ item }}
  changed_when: false
  args: {creates: "AT/{{ item }}"}
  loop: [b, a]
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'a handler': {
    playbook: `
- stat: {path: AT/a}
- command: echo
  notify: touch
- meta: flush_handlers
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'the last change of a play': {
    playbook: `
- stat: {path: AT/a}
- file: {path: AT/a, state: touch}
---
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'the last handler of a play': {
    playbook: `
- stat: {path: AT/a}
- command: echo
  notify: touch
---
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'a change that another host had done there': {
    inventory: 'h1\nh2\n',
    playbook: `
- stat: {path: AT/a}
- file: {path: AT/a, state: touch}
  delegate_to: h2
  when: inventory_hostname == 'h1'
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
  when: inventory_hostname == 'h2'
`,
  },
  'a command that another host had run there and is said to change nothing': {
    inventory: 'h1\nh2\n',
    playbook: `
- stat: {path: AT/a}
- command: touch AT/a
  changed_when: false
  delegate_to: h2
  run_once: true
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'a change to the same machine by another of its names': {
    inventory: 'h1 ansible_host=10.0.0.1\nh2 ansible_host=10.0.0.1\n',
    playbook: `
- stat: {path: AT/a}
- file: {path: AT/a, state: touch}
  when: inventory_hostname == 'h1'
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'a change to this machine by another of its names': {
    inventory: 'h1 ansible_connection=local\n',
    playbook: `
- stat: {path: AT/a}
- file: {path: AT/a, state: touch}
  delegate_to: localhost
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'a command that reached another host by its own means': {
    inventory: 'h1\nh2\n',
    playbook: `
- stat: {path: AT/a}
- command: touch AT/a
  run_once: true
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'a file brought to this machine': {
    inventory: 'h1\n',
    playbook: `
- stat: {path: AT/fetched}
  delegate_to: localhost
- fetch: {src: AT/kept, dest: AT/fetched, flat: true}
- stat: {path: AT/fetched}
  delegate_to: localhost
  register: s
- assert: {that: s.stat.exists}
`,
  },
  'a change to a file that a variable reads': {
    playbook: `
- stat: {path: AT/a}
  when: lookup('file', 'AT/kept') == ''
  vars: {unused: 1}
- debug: {msg: "{{ text }}"}
- shell: echo new > AT/kept
  delegate_to: localhost
  changed_when: false
- assert: {that: text == 'new'}
`,
    inventory: `h1 text="{{ lookup('file', 'AT/kept') }}"\n`,
  },
  'a retry': {
    playbook: `
- stat: {path: AT/a}
  register: s
  until: s.stat.exists
  retries: 3
  delay: 0
- assert: {that: s.stat.exists}
`,
    happens: { file: 'a', before: 2 },
  },
  'a wait': {
    playbook: `
- stat: {path: AT/other}
- wait_for: {path: AT/a, sleep: 0, timeout: 5}
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
    happens: { file: 'a', before: 2 },
  },
  'a pause': {
    playbook: `
- stat: {path: AT/other}
- pause: {seconds: 0}
- stat: {path: AT/a}
  register: s
- assert: {that: s.stat.exists}
`,
    happens: { file: 'a', before: 2 },
  },
};

for (const [name, { playbook, inventory, happens }] of Object.entries(CASES)) {
  test(`what was read before is read again after ${name}`, async (t) => {
    const { directory, run } = scriptedRuns(t);
    writeFileSync(join(directory, 'kept'), '');
    const plays = playbook
      .trim()
      .replaceAll('AT/', `${directory}/`)
      .split('---\n')
      .map(
        (tasks) =>
          `- hosts: all\n  gather_facts: false\n  handlers:\n    - name: touch\n      command: touch ${directory}/a\n  tasks:\n${tasks.replaceAll(/^/gm, '    ')}\n`,
      );
    let scripts = 0;
    const options: ScriptedOptions = {
      inventory: (inventory ?? 'h1\n').replaceAll('AT/', `${directory}/`),
      before() {
        scripts++;
        if (scripts === happens?.before) writeFileSync(join(directory, happens.file), '');
      },
    };
    const { recap, events } = await run(plays.join('\n'), options);
    const failures = events.filter(
      (event) => event.type === 'result' && event.status === 'failed' && event.ignored !== true,
    );
    t.deepEqual(
      failures.filter((event) => event.type === 'result' && event.task === 'assert'),
      [],
    );
    for (const counts of Object.values(recap.hosts)) t.is(counts.failed, 0);
  });
}

test('hosts that change one file of another host at the same time all find their change there', async (t) => {
  const { directory, run } = scriptedRuns(t);
  const hosts = ['h1', 'h2', 'h3', 'h4', 'h5'];
  const { recap } = await run(
    `
- hosts: all
  gather_facts: false
  tasks:
    - lineinfile: {path: ${directory}/list, line: "{{ inventory_hostname }}", create: true}
      delegate_to: h9
    - slurp: {src: ${directory}/list}
      register: s
    - assert: {that: "(s.content | b64decode).split() | sort == ${JSON.stringify(hosts).replaceAll('"', "'")}"}
`,
    { inventory: `${hosts.join('\n')}\n` },
  );
  for (const host of hosts) t.like(recap.hosts[host], { ok: 3, changed: 1, failed: 0 });
});

test('a fact that depends on other hosts is forgotten when anything changes anywhere', (t) => {
  const kind = (scope: 'host' | 'network'): FactKind<string, string> => ({
    name: scope,
    scope,
    id: (key) => key,
    script: () => '',
    parse: () => [],
  });
  let age = 1;
  const cache = new FactCache(
    () => 0,
    () => age,
  );
  const local = query(kind('host'), 'x');
  const remote = query(kind('network'), 'x');
  cache.reading().store(
    [local, remote],
    new Map([
      [local.id, 'a'],
      [remote.id, 'b'],
    ]),
  );
  t.true(cache.has(local) && cache.has(remote));
  age = 2;
  t.true(cache.has(local));
  t.false(cache.has(remote));
});

test('what changed while a fact was being read is not known by it', (t) => {
  let age = 1;
  const cache = new FactCache(
    () => age,
    () => age,
  );
  const one = query<string, string>(
    { name: 'x', scope: 'host', id: (key) => key, script: () => '', parse: () => [] },
    'x',
  );
  const reading = cache.reading();
  age = 2;
  reading.store([one], new Map([[one.id, 'old']]));
  t.false(cache.has(one));
});
