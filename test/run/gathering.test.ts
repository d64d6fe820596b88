import { setImmediate } from 'node:timers/promises';

import test from 'ava';

import { scriptedRuns } from './scripted-run.ts';

test("a play's timeout holds for its gathering, and so does ignore_errors", async (t) => {
  const { directory, run } = scriptedRuns(t);
  const { events, results } = await run(
    `
- hosts: all
  timeout: 7
  ignore_errors: true
  tasks:
    - debug: {msg: on}
`,
    { answer: ({ timeoutMs }) => (timeoutMs === 7000 ? { timedOut: true, status: 124 } : undefined) },
  );
  t.deepEqual(results, ['Gathering Facts: failed', 'debug: ok']);
  t.like(
    events.find((event) => event.type === 'result'),
    {
      ignored: true,
      message: `${directory}/site.yml:2:3: ansible.builtin.setup: reading the host's state took longer than the task's timeout (7000 ms)`,
    },
  );
});

test("what a play hides is hidden in its gathering's failure", async (t) => {
  const { run } = scriptedRuns(t);
  const { events } = await run(`
- hosts: all
  no_log: true
  become: true
  become_method: "{{ 'sesame' }}"
`);
  t.like(
    events.find((event) => event.type === 'result'),
    { status: 'failed', message: 'the output is hidden: no_log was set for this task' },
  );
});

test("a play's throttle holds for its gathering", async (t) => {
  const { run } = scriptedRuns(t);
  const atOnce = async (throttle: number): Promise<number> => {
    let now = 0;
    let most = 0;
    await run(`- hosts: all\n  throttle: ${throttle}\n`, {
      inventory: 'h1\nh2\nh3\n',
      async before() {
        now++;
        most = Math.max(most, now);
        await setImmediate();
        now--;
      },
    });
    return most;
  };
  t.is(await atOnce(1), 1);
  t.is(await atOnce(0), 3);
});

test("a play's become and remote_user are the gathering's", async (t) => {
  const { run } = scriptedRuns(t);
  const seen: string[] = [];
  await run('- hosts: all\n  become: true\n  become_user: app\n', {
    before: ({ become }) => void seen.push(become),
  });
  t.deepEqual([...new Set(seen)], ['app']);
});
