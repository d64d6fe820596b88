import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { agentMachine, agentRuntimeApi } from '../../../src/failover/reach/machine-agent.ts';
import { operatorMachine } from '../../../src/failover/reach/machine-operator.ts';
import { byLine } from '../../../src/failover/reach/machine-verbs.ts';
import { run } from '../../../src/lib/process.ts';
import { localTransport } from '../../../src/transport/local.ts';

/* What fencing does to a real mysqld is seen on the lab's hosts; this is about the ways to it. */

const SCRIPT = fileURLToPath(new URL('../../../files/failover/understudy-node', import.meta.url));

/** A program in place of ssh, and the words that it was given. */
function fakeSsh(t: ExecutionContext, body: string): { readonly ssh: string; readonly log: () => string } {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-machine-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const ssh = join(directory, 'ssh');
  const log = join(directory, 'log');
  writeFileSync(ssh, `#!/bin/sh\nprintf '%s\\n' "$@" > ${log}\n${body}\n`);
  chmodSync(ssh, 0o755);
  return { ssh, log: () => readFileSync(log, 'utf8') };
}

const REFUSED: readonly (readonly string[])[] = [
  [],
  ['--help'],
  ['fence', 'now'],
  ['fence;', 'id'],
  ['unfence', '$(id)'],
  ['unfence', '-1'],
  ['copy-from', 'web1'],
  ['copy-from', 'web1', '10.0.0.1;id'],
  ['copy-from', 'web1', '10.0.0.1,verify=0'],
  ['copy-from', 'web1', '10.0.0.1', 'more'],
  ['end-connections', '10.0.0.1'],
  ['end-connections', 'web1', '3306'],
  ['end-connections', '10.0.0.1', '3306 or sport = :22'],
  ['haproxy', 'other.sock'],
];

for (const argv of REFUSED) {
  test(`the script takes only the verbs it knows, and not: ${argv.join(' ') || 'nothing'}`, async (t) => {
    const result = await run(['sh', SCRIPT, ...argv]);
    t.is(result.status, 64);
    t.regex(result.stderr, /^expected fence, unfence, undo-fence, status/);
    t.is(result.stdout, '');
  });
}

test('an operator sends the script and its verb, and hears what it said', async (t) => {
  const transport = localTransport();
  const connection = await transport.connect({ name: 'web1', address: 'localhost' });
  const machine = operatorMachine(connection, undefined);
  t.is(machine.host, 'web1');
  await t.throwsAsync(
    machine.copyFrom({ host: 'web 2', address: '10.0.0.2' }, () => {}),
    {
      name: 'UserError',
      message: /^web1: 'copy-from web 2 10\.0\.0\.2' failed: expected fence/,
    },
  );
  await transport.close();
});

test('a daemon names its key and its hosts, and the verb comes last', async (t) => {
  const { ssh, log } = fakeSsh(t, 'exit 0');
  await agentMachine({ host: 'web1', address: '10.0.0.1', key: '/etc/k/key', ssh }).unfence();
  const words = log().trim().split('\n');
  t.true(words.includes('StrictHostKeyChecking=yes'));
  t.true(words.includes('UserKnownHostsFile=/etc/k/known_hosts'));
  t.true(words.includes('BatchMode=yes'));
  t.deepEqual(words.slice(-3), ['understudy@10.0.0.1', 'unfence', '300']);
});

test('an instance of several on a machine is named before the verb, and never left out for an older script', async (t) => {
  const spec = { unit: 'mariadb@db2', port: 3307 };
  const { ssh, log } = fakeSsh(t, 'exit 0');
  await agentMachine({ host: 'web1', address: '10.0.0.1', key: 'k', ssh }, spec).fence();
  t.deepEqual(log().trim().split('\n').slice(-6), [
    'understudy@10.0.0.1',
    '--unit',
    'mariadb@db2',
    '--port',
    '3307',
    'fence',
  ]);
  const old = fakeSsh(t, 'exit 64');
  const machine = agentMachine({ host: 'web1', address: '10.0.0.1', key: 'k', ssh: old.ssh }, spec);
  await t.throwsAsync(machine.unfence(undefined, true), { message: /'unfence 300' failed/ });
  t.true(old.log().includes('--unit'), 'the second attempt names it, too');
});

test('what was stopped before a fence is left so, unless the machine has the script of an older release', async (t) => {
  const fresh = fakeSsh(t, 'exit 0');
  await agentMachine({ host: 'web1', address: '10.0.0.1', key: 'k', ssh: fresh.ssh }).unfence(
    undefined,
    true,
  );
  t.deepEqual(fresh.log().trim().split('\n').slice(-2), ['undo-fence', '300']);
  const old = fakeSsh(t, 'case "$*" in *undo-fence*) exit 64 ;; esac; exit 0');
  await agentMachine({ host: 'web1', address: '10.0.0.1', key: 'k', ssh: old.ssh }).unfence(undefined, true);
  t.deepEqual(old.log().trim().split('\n').slice(-2), ['unfence', '300']);
});

test('what was stopped before a fence, and stays so, is told apart from what runs again', async (t) => {
  const undone = async (said: string): Promise<boolean> => {
    const { ssh } = fakeSsh(t, `echo '${said}'`);
    const machine = agentMachine({ host: 'web1', address: '10.0.0.1', key: 'k', ssh });
    return (await machine.unfence(undefined, true)).runs;
  };
  t.true(await undone('mysql.service runs and answers'));
  t.false(await undone('stopped: mysql.service stays so, as it was before the fence'));
});

test('a host that is not reached and a verb that fails are told apart', async (t) => {
  const away = fakeSsh(t, "echo 'ssh: connect to host 10.0.0.1 port 22: No route to host' >&2; exit 255");
  const gone = await t.throwsAsync(
    agentMachine({ host: 'web1', address: '10.0.0.1', key: 'k', ssh: away.ssh }).fence(),
    { name: 'UserError', message: /^web1: cannot be reached for 'fence': ssh: connect to host/ },
  );
  t.is((gone as { exitCode?: number }).exitCode, 4);
  const stuck = fakeSsh(t, "echo 'mysqld does not end' >&2; exit 1");
  const failed = await t.throwsAsync(
    agentMachine({ host: 'web1', address: '10.0.0.1', key: 'k', ssh: stuck.ssh }).fence(),
    { name: 'UserError', message: "web1: 'fence' failed: mysqld does not end" },
  );
  t.is((failed as { exitCode?: number }).exitCode, 2);
});

test('a log is applied for less long than the tool waits, so that the script leaves the server as it was', async (t) => {
  for (const [timeoutMs, seconds] of [
    [60_000, 55],
    [3000, 1],
  ] as const) {
    const { ssh, log } = fakeSsh(t, 'cat > /dev/null');
    const machine = agentMachine({ host: 'web1', address: '10.0.0.1', key: '/k/key', ssh });
    await machine.applyLog(Buffer.from('statements'), { timeoutMs });
    t.true(log().endsWith(`\napply-log\n${seconds}\n`), log());
  }
});

test('an aborted verb ends its ssh and rejects with the reason', async (t) => {
  const { ssh } = fakeSsh(t, 'exec sleep 60');
  const controller = new AbortController();
  const fencing = agentMachine({ host: 'web1', address: '10.0.0.1', key: 'k', ssh }).fence(controller.signal);
  controller.abort(new Error('the lease is lost'));
  await t.throwsAsync(fencing, { message: 'the lease is lost' });
});

test('progress comes line by line', async (t) => {
  const { ssh } = fakeSsh(t, "printf 'copying from web1\\n12 MB'; printf ' copied\\n'");
  const lines: string[] = [];
  await agentMachine({ host: 'web2', address: '10.0.0.2', key: 'k', ssh }).copyFrom(
    { host: 'web1', address: '10.0.0.1' },
    (line) => lines.push(line),
  );
  t.deepEqual(lines, ['copying from web1', '12 MB copied']);
});

test('lines are whole, whatever pieces they come in', (t) => {
  const lines: string[] = [];
  const take = byLine((line) => lines.push(line));
  for (const byte of Buffer.from('größe 1\n\nzwei\nrest')) take(Buffer.from([byte]));
  t.deepEqual(lines, ['größe 1', '', 'zwei']);
});

test("another balancer's runtime API is the stdin and stdout of ssh", async (t) => {
  const { ssh } = fakeSsh(t, 'read -r line; printf \'heard %s\\n\' "$line"');
  const stream = await agentRuntimeApi({ host: 'lb2', address: '10.0.0.2', key: 'k', ssh })();
  stream.end('show info\n');
  let said = '';
  for await (const chunk of stream) said += String(chunk);
  t.is(said, 'heard show info\n');
});

test('a balancer that is not reached breaks the runtime API off with what ssh said', async (t) => {
  const { ssh } = fakeSsh(t, "echo 'no route' >&2; exit 255");
  const stream = await agentRuntimeApi({ host: 'lb2', address: '10.0.0.2', key: 'k', ssh })();
  await t.throwsAsync(stream.toArray(), { message: 'no route' });
});
