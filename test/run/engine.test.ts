import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { scriptedRuns } from './scripted-run.ts';

const play = (tasks: string, more = ''): string =>
  `- hosts: all\n  gather_facts: false\n${more}  tasks:\n${tasks.trim().replaceAll(/^/gm, '    ')}\n`;

test('what all tasks must know is read in one round trip, and what is right costs no more', async (t) => {
  const { directory, run } = scriptedRuns(t);
  const tasks = play(`
- copy: {dest: ${directory}/a, content: one, mode: '0644'}
- copy: {dest: ${directory}/b, content: two, mode: '0644'}
- stat: {path: ${directory}/c}
- block:
    - file: {path: ${directory}/b, state: file}
  always:
    - command: touch ${directory}/never
      args: {creates: ${directory}/a}
`);
  await run(tasks);
  const second = await run(tasks);
  t.is(second.scripts.length, 1);
  t.like(second.recap.hosts['h1'], { ok: 5, changed: 0, failed: 0 });
});

test('a change brings what the next tasks must know along with it', async (t) => {
  const { directory, run } = scriptedRuns(t);
  const { scripts, recap } = await run(
    play(`
- copy: {dest: ${directory}/a, content: one}
- stat: {path: ${directory}/a}
  register: s
- assert: {that: s.stat.exists}
`),
  );
  t.like(recap.hosts['h1'], { ok: 3, changed: 1 });
  t.is(scripts.length, 2);
});

test('what was read before a change is not believed after it', async (t) => {
  const { directory, run } = scriptedRuns(t);
  writeFileSync(join(directory, 'a'), 'old');
  const { recap } = await run(
    play(`
- stat: {path: ${directory}/a}
  register: before
- command: rm ${directory}/a
- stat: {path: ${directory}/a}
  register: after
- assert: {that: [before.stat.exists, not after.stat.exists]}
`),
  );
  t.like(recap.hosts['h1'], { ok: 4, failed: 0 });
});

const notifying = (directory: string, extra = ''): string =>
  play(
    `
- copy: {dest: ${directory}/a, content: one}
  notify: restart
${extra}`,
    `  handlers:\n    - name: restart\n      command: touch ${directory}/restarted\n`,
  );

test('a handler is noted on its host in the round trip of the change, before it, and taken off when it ran', async (t) => {
  const { directory, run } = scriptedRuns(t);
  const { scripts, results } = await run(notifying(directory));
  t.deepEqual(results, ['copy: changed', 'restart: changed']);
  const change = scripts.find((script) => script.includes('us_mode')) ?? '';
  t.true(change.includes('restart'));
  t.true(change.includes('>> "$us_notes"/site.yml%40h1'));
  t.true(change.indexOf('>> "$us_notes"/site.yml%40h1') < change.indexOf('us_mode'));
  t.regex(scripts.at(-1) ?? '', /rm -f "\$us_notes"\/site.yml%40h1/);
  t.false(existsSync(join(directory, 'h1/due-handlers.d/site.yml%40h1')));
});

test('a handler that a failure kept from running runs in the next run, though nothing changes there', async (t) => {
  const { directory, run } = scriptedRuns(t);
  const failed = await run(notifying(directory, '- fail: {msg: no}\n'));
  t.deepEqual(failed.results, ['copy: changed', 'fail: failed']);
  t.false(existsSync(join(directory, 'restarted')));
  const next = await run(notifying(directory));
  t.deepEqual(next.results, ['copy: ok', 'restart: changed']);
  t.true(existsSync(join(directory, 'restarted')));
  t.deepEqual((await run(notifying(directory))).results, ['copy: ok']);
});

test('a handler that is due for one host is not due for another whose task is done on the same machine', async (t) => {
  const { directory, run } = scriptedRuns(t);
  const inventory = 'h1\nh2\n';
  const tasks = (end: string): string =>
    play(
      `
- command: touch ${directory}/made-{{ inventory_hostname }}
  args: {creates: "${directory}/made-{{ inventory_hostname }}"}
  delegate_to: h1
  notify: restart
${end}`,
      '  handlers:\n    - name: restart\n      debug: {msg: "restarted {{ inventory_hostname }}"}\n',
    );
  writeFileSync(join(directory, 'made-h1'), '');
  await run(tasks('- fail: {msg: no}\n'), { inventory });
  t.true(existsSync(join(directory, 'made-h2')));
  const { events } = await run(tasks(''), { inventory });
  const said = events.flatMap((event) => (event.type === 'result' ? (event.message ?? []) : []));
  t.deepEqual(
    said.filter((message) => message.startsWith('restarted')),
    ['restarted h2'],
  );
});

test('an interrupted run ends after the running task, with a recap that says so', async (t) => {
  const { directory, run } = scriptedRuns(t);
  const interruption = new AbortController();
  const { recap, results, events } = await run(
    play(`
- command: touch ${directory}/one
- command: touch ${directory}/two
`),
    {
      signal: interruption.signal,
      before: ({ script }) => {
        if (script.includes('/one')) interruption.abort();
      },
    },
  );
  t.true(recap.interrupted);
  t.deepEqual(results, ['command: changed']);
  t.is(events.at(-1)?.type, 'recap');
  t.true(existsSync(join(directory, 'one')));
  t.false(existsSync(join(directory, 'two')));
});

test('secrets are in no event, whatever happens to them', async (t) => {
  const { directory, run } = scriptedRuns(t);
  writeFileSync(join(directory, 'password'), 'Made.Once-Secret\n');
  const { events, scripts } = await run(
    play(`
- command: echo hidden-by-no-log
  no_log: true
  register: r
- fail: {msg: "{{ r.stdout }}"}
  no_log: true
  ignore_errors: true
- debug: {msg: "{{ item }}"}
  no_log: true
  loop: [hidden-by-no-log]
- copy: {dest: ${directory}/a, content: "{{ lookup('password', 'password') }}"}
- shell: cat ${directory}/a
- debug: {var: "lookup('password', 'password')"}
- fail: {msg: "it was {{ lookup('password', 'password') }}"}
  ignore_errors: true
- name: with {{ lookup('password', 'password') }}
  debug: {msg: x}
- debug: {msg: "{{ item }}"}
  loop: ["{{ lookup('password', 'password') }}"]
- command: "false"
  become: true
  ignore_errors: true
- fail: {msg: "{{ ansible_become_password }}"}
  ignore_errors: true
`),
    { inventory: 'h1 ansible_become_password=Become-Secret\n' },
  );
  const told = JSON.stringify(events);
  for (const secret of ['hidden-by-no-log', 'Made.Once-Secret', 'Become-Secret'])
    t.false(told.includes(secret));
  t.false(scripts.some((script) => script.includes('Become-Secret')));
  t.true(told.includes('[REDACTED]'));
  t.is(readFileSync(join(directory, 'a'), 'utf8'), 'Made.Once-Secret');
});
