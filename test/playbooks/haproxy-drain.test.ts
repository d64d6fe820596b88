import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { run } from '../../src/lib/process.ts';
import { parseCounters } from '../../src/site/counters.ts';

// The program that takes servers out on a balancer, against a runtime API that only notes what it is told. What a real
// HAProxy makes of it is seen in the lab.

const SCRIPT = readFileSync(
  fileURLToPath(new URL('../../playbooks/roles/haproxy/templates/haproxy-drain.j2', import.meta.url)),
  'utf8',
);

const CONFIGURATION = `backend web
    server web1 10.83.3.21:80
    server web2 [fd00::22]:8082
backend mysql_primary
    server web2 10.83.3.22:3306 addr 10.83.3.22 port 9201
backend mysql_replicas
    server web2 10.83.3.22:3306 addr 10.83.3.22 port 9201
backend mysql_readable
    server web1 10.83.3.21:3306 addr 10.83.3.21 port 9201
backend orders_primary
    server web2 10.83.3.22:3307 addr 10.83.3.22 port 9201
backend orders_replicas
    server web2 10.83.3.22:3307 addr 10.83.3.22 port 9201
`;

interface Balancer {
  readonly directory: string;
  readonly drain: (
    args: readonly string[],
    stdin?: string,
  ) => Promise<{ status: number; stdout: string; stderr: string }>;
  readonly said: () => readonly string[];
}

function balancer(t: ExecutionContext, answer = ''): Balancer {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-drain-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const put = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  mkdirSync(join(directory, 'bin'));
  // It knows who is out; what it is told is noted. A backend that does not know web2 has no server at all.
  const answers = `#!/bin/sh
read -r asked
out="${directory}/out"
case $asked in
  'show servers state mysql_readable;'*) ;;
  'show info; show stat site 1 -1; show stat web 2 -1;'*)
    printf 'Name: HAProxy\nPid: 612\nDescription: a, b\n\n# pxname,svname,req_tot,ttime_max\nsite,FRONTEND,7,\n\n# pxname,svname,req_tot,ttime_max\nweb,BACKEND,,40\n\n'
    ;;
  'show servers state '*)
    backend=$(echo "$asked" | sed 's/show servers state \\([a-z_]*\\);.*/\\1/')
    state=0
    [ ! -e "$out-$backend" ] || state=8
    printf '1\n# be_id\n3 %s 1 web1 - 2 0\n3 %s 2 web2 - 2 %s\n\n' "$backend" "$backend" "$state"
    ;;
  'set server '*' state drain;'*) touch "$out-$(echo "$asked" | sed 's/set server \\([a-z_]*\\).*/\\1/')" ;;
  'set server '*' state ready;'*)
    [ -e "${directory}/stubborn" ] || rm -f "$out-$(echo "$asked" | sed 's/set server \\([a-z_]*\\).*/\\1/')" ;;
esac
case $asked in
  'set server '*) printf '%s\n' "$asked" | sed 's/; writers show//' >> "${directory}/said"; printf '%s' '${answer}' ;;
esac
[ ! -e "${directory}/ending" ] || { echo 'this process ends'; exit; }
echo 'held 0 until 0'
`;
  chmodSync(put('bin/socat', answers), 0o755);
  const script = put(
    'drain',
    SCRIPT.replaceAll('/run/haproxy-', `${directory}/`)
      .replaceAll('/run/haproxy', directory)
      .replaceAll('/var/lib/haproxy-drained', join(directory, 'kept')),
  );
  const config = put('haproxy.cfg', CONFIGURATION);
  return {
    directory,
    drain: async (args, stdin = '') =>
      await run(['sh', script, ...args], {
        input: stdin,
        env: {
          ...process.env,
          PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`,
          CONFIG: config,
        },
      }),
    said: () =>
      existsSync(join(directory, 'said'))
        ? readFileSync(join(directory, 'said'), 'utf8').trimEnd().split('\n')
        : [],
  };
}

const OUT = [
  'set server web/web2 state drain',
  'set server web/web2 weight 0',
  'set server mysql_replicas/web2 state drain',
  'set server orders_replicas/web2 state drain',
];

test('a server is noted and then drained in every backend that has it, but not as the writer', async (t) => {
  const { drain, said, directory } = balancer(t);
  const { status, stderr } = await drain(['out', 'web2'], '{"by":"ann"}\n');
  t.is(status, 0, stderr);
  t.deepEqual(said(), OUT);
  t.is(readFileSync(join(directory, 'kept/web2'), 'utf8'), '{"by":"ann"}\n');
  const back = await drain(['in', 'web2']);
  t.is(back.status, 0, back.stderr);
  t.false(existsSync(join(directory, 'kept/web2')));
});

test('a name that HAProxy does not have, or that is no name, changes nothing', async (t) => {
  for (const name of ['web9', '', '../web2', '.web2', 'web2; show env']) {
    const { drain, said, directory } = balancer(t);
    const { status } = await drain(['out', name], '{}\n');
    t.is(status, 1, name);
    t.deepEqual(said(), []);
    t.false(existsSync(join(directory, 'kept')));
  }
});

test('a server that HAProxy did not put back is still noted as out, and so is one whose process is just ending', async (t) => {
  const { drain, directory } = balancer(t);
  await drain(['out', 'web2'], '{}\n');
  writeFileSync(join(directory, 'stubborn'), '');
  const { status, stderr } = await drain(['in', 'web2']);
  t.is(status, 1);
  t.regex(stderr, /web\/web2 is not ready afterwards/);
  t.true(existsSync(join(directory, 'kept/web2')));
  rmSync(join(directory, 'stubborn'));
  writeFileSync(join(directory, 'ending'), '');
  const ending = await drain(['in', 'web2']);
  t.is(ending.status, 1);
  t.regex(ending.stderr, /this process ends/);
  t.true(existsSync(join(directory, 'kept/web2')));
});

test('the note of a server that the configuration has no longer can be removed', async (t) => {
  const { drain, directory } = balancer(t);
  mkdirSync(join(directory, 'kept'));
  writeFileSync(join(directory, 'kept/web9'), '{}\n');
  const { status, stderr } = await drain(['in', 'web9']);
  t.is(status, 0, stderr);
  t.false(existsSync(join(directory, 'kept/web9')));
});

test('what HAProxy refuses is an error with its words', async (t) => {
  const { drain } = balancer(t, 'No such server.\n');
  const { status, stderr } = await drain(['out', 'web2'], '{}\n');
  t.is(status, 1);
  t.regex(stderr, /set server web\/web2 state drain: No such server\./);
});

test('HAProxy begins with the servers out that are out, whatever was saved of them', async (t) => {
  const { drain, directory } = balancer(t);
  await drain(['out', 'web2'], '{}\n');
  const state = join(directory, 'server-state');
  t.is((await drain(['keep'])).status, 0);
  t.deepEqual(
    readFileSync(state, 'utf8').trimEnd().split('\n').slice(2).sort(),
    [
      '0 mysql_replicas 0 web2 - 2 8 1 1 0 1 0 0 6 0 0 0 - 3306 -',
      '0 orders_replicas 0 web2 - 2 8 1 1 0 1 0 0 6 0 0 0 - 3307 -',
      '0 web 0 web2 - 2 8 0 1 0 1 0 0 6 0 0 0 - 8082 -',
    ],
    'after a crash nothing was saved',
  );
  writeFileSync(
    state,
    `1
# be_id be_name srv_id
3 web 1 web1 - 2 0 1 1 91 15 3 2 6 0 0 0 - 80 -
3 web 2 web2 - 0 4 1 1 91 15 3 2 6 0 0 0 - 8082 -
6 mysql_primary 2 web2 - 2 0 1 1 91 15 3 2 6 0 0 0 - 3306 -
7 mysql_replicas 2 web2 - 2 8 1 1 91 15 3 2 6 0 0 0 - 3306 -
`,
  );
  t.is((await drain(['keep'])).status, 0);
  t.deepEqual(readFileSync(state, 'utf8').trimEnd().split('\n').slice(2), [
    '3 web 1 web1 - 2 0 1 1 91 15 3 2 6 0 0 0 - 80 -',
    '3 web 2 web2 - 0 12 0 1 91 15 3 2 6 0 0 0 - 8082 -',
    '6 mysql_primary 2 web2 - 2 0 1 1 91 15 3 2 6 0 0 0 - 3306 -',
    '7 mysql_replicas 2 web2 - 2 8 1 1 91 15 3 2 6 0 0 0 - 3306 -',
    '0 orders_replicas 0 web2 - 2 8 1 1 0 1 0 0 6 0 0 0 - 3307 -',
  ]);
});

test('after a reload, who was taken out meanwhile is taken out again', async (t) => {
  const { drain, said } = balancer(t);
  await drain(['out', 'web2'], '{}\n');
  const before = said().length;
  t.is((await drain(['apply'])).status, 0);
  t.deepEqual(said().slice(before), OUT);
});

test('the counters are those of each process, by its number, and nothing else', async (t) => {
  const { status, stdout, stderr } = await balancer(t).drain(['counters']);
  t.is(status, 0, stderr);
  const [process, ...others] = parseCounters('lb1', stdout);
  t.deepEqual(others, []);
  t.like(process, { pid: 612, counts: { requests: 7 }, slowestMs: 40 });
  t.notRegex(stdout, /Description/);
});
