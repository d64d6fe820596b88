import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { run } from '../../src/lib/process.ts';

/*
 * A host that carries several instances: what is done to one of them is done to no other one. The servers are real
 * processes; systemd, the firewall and the clients are stand-ins that write down what they were asked.
 */

const script = readFileSync(
  fileURLToPath(new URL('../../files/failover/understudy-node', import.meta.url)),
  'utf8',
);
const FENCE_DB2 = ['--unit', 'mariadb@db2', '--port', '3307', 'fence'];

/** The slice of an instance's service, as systemd nests it. */
const groupOf = (unit: string): string =>
  unit.includes('@')
    ? `/system.slice/system-${unit.split('@')[0]}.slice/${unit}.service`
    : `/system.slice/${unit}.service`;

/** A host with a running server for each unit, by the port that it listens on. */
function host(t: ExecutionContext, units: Readonly<Record<string, number>>) {
  const root = mkdtempSync(join(tmpdir(), 'understudy-instances-'));
  const bin = join(root, 'bin');
  for (const directory of [bin, join(root, 'proc'), join(root, 'listen')]) mkdirSync(directory);
  const put = (name: string, body: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const log = join(root, 'log');
  writeFileSync(log, '');
  put(
    'systemctl',
    `echo "systemctl $*" >> '${log}'
    case $1 in
      mask) ln -sfn /dev/null '${root}/'"$2" ;;
      unmask) for last; do :; done; rm -f '${root}/'"$last" ;;
      show) echo active ;;
      is-active) echo active ;;
    esac`,
  );
  put('iptables', `echo "iptables $*" >> '${log}'; case "$*" in *-C*|*-D*) exit 1 ;; esac`);
  put('ip6tables', 'case "$*" in *-C*|*-D*) exit 1 ;; esac');
  // Nobody listens any more when it was killed, whether or not it was waited for.
  put(
    'ss',
    `listed='${root}/listen/'$(echo "$*" | sed 's/.*:\\([0-9]*\\).*/\\1/')
    [ -f "$listed" ] || exit 0
    pid=$(sed 's/.*pid=//; s/,.*//' "$listed")
    grep -qv ') Z' /proc/$pid/stat 2> /dev/null && cat "$listed" || :`,
  );
  put(
    'my_print_defaults',
    `echo --datadir=/var/lib/mysql --port=3306 | tr ' ' '\\n'
    case "$*" in *--defaults-group-suffix=.db2*) printf '%s\\n' --port=3307 --socket=/run/mysqld/db2.sock --datadir=${root}/db2 ;; esac`,
  );
  put('mariadb-admin', `echo "mariadb-admin $*" >> '${log}'`);
  copyFileSync('/bin/sleep', join(bin, 'mariadbd'));
  // As the package has it; systemd shows nothing of a unit that is masked.
  writeFileSync(
    join(root, 'mariadb@.service'),
    "[Service]\n# --defaults-file=/etc/my.cnf\nEnvironment='MYSQLD_MULTI_INSTANCE=--defaults-group-suffix=.%I'\nExecStart=/usr/sbin/mariadbd $MYSQLD_MULTI_INSTANCE $MYSQLD_OPTS\n",
  );
  const into = (pid: number | string | undefined, group: string): void => {
    mkdirSync(join(root, 'proc', String(pid)), { recursive: true });
    writeFileSync(join(root, 'proc', String(pid), 'cgroup'), `0::${group}\n`);
  };
  into(1, '/init.scope');
  const servers = new Map<string, ChildProcess>();
  for (const [unit, port] of Object.entries(units)) {
    const server = spawn(join(bin, 'mariadbd'), ['600'], { stdio: 'ignore' });
    servers.set(unit, server);
    into(server.pid, groupOf(unit));
    writeFileSync(
      join(root, 'listen', String(port)),
      `LISTEN 0 80 10.0.0.1:${port} 0.0.0.0:* users:(("mariadbd",pid=${server.pid},fd=21))\n`,
    );
  }
  t.teardown(async () => {
    for (const server of servers.values()) {
      if (server.exitCode !== null || server.signalCode !== null) continue;
      server.kill('SIGKILL');
      await once(server, 'exit');
    }
    rmSync(root, { recursive: true });
  });
  const here = script
    .replace('PATH=/usr/sbin:', `PATH=${bin}:/usr/sbin:`)
    .replace('proc=/proc\n', `proc=${root}/proc\n`)
    .replaceAll('/usr/sbin/mariadbd', join(bin, 'mariadbd'))
    .replaceAll('/etc/systemd/system/', `${root}/`)
    .replaceAll('/run/systemd/system/', `${root}/run-`)
    // A busy machine may wait for the ended child for longer than the script waits.
    .replace('end_limit=2 kill_limit=3', 'end_limit=1 kill_limit=60')
    .replace('state_in_memory=/run/', `state_in_memory=${root}/`)
    .replace('left_in_memory=/run/', `left_in_memory=${root}/`)
    .replace('state_dir=/var/lib/understudy', `state_dir=${root}/state`);
  return {
    root,
    does: async (argv: readonly string[]) => await run(['sh', '-s', '--', ...argv], { input: here }),
    runs: (unit: string): boolean => servers.get(unit)?.exitCode === null && !servers.get(unit)?.signalCode,
    log: (): readonly string[] => readFileSync(log, 'utf8').trim().split('\n'),
  };
}

test('a fence of one instance stops, masks and rejects that one, and nothing of its neighbours', async (t) => {
  const here = host(t, { mariadb: 3306, 'mariadb@db2': 3307, 'mariadb@db22': 3308 });
  const result = await here.does(FENCE_DB2);
  t.is(result.status, 0, result.stderr);
  t.is(result.stdout, 'fenced: mariadb@db2.service is masked and has ended, port 3307 is rejected\n');
  t.deepEqual(
    ['mariadb', 'mariadb@db2', 'mariadb@db22'].map((unit) => here.runs(unit)),
    [true, false, true],
  );
  const changes = here.log().filter((line) => /^systemctl (mask|stop|kill)/.test(line));
  t.true(changes.length > 1);
  t.deepEqual(
    changes.filter((line) => !line.endsWith(' mariadb@db2.service')),
    [],
  );
  const rules = here.log().filter((line) => line.startsWith('iptables'));
  t.true(rules.some((line) => line.includes('-I INPUT')));
  t.deepEqual(
    rules.filter((line) => !line.includes('--dport 3307 ')),
    [],
  );
  t.true(existsSync(join(here.root, 'state/mariadb@db2/fenced')));
});

test("a fence of the flavour's own instance leaves those with a name alone", async (t) => {
  const here = host(t, { mariadb: 3306, 'mariadb@db2': 3307 });
  const result = await here.does(['fence']);
  t.is(result.status, 0, result.stderr);
  t.deepEqual([here.runs('mariadb'), here.runs('mariadb@db2')], [false, true]);
});

test('what one fence has noted is not what another instance was before', async (t) => {
  const here = host(t, { mariadb: 3306, 'mariadb@db2': 3307 });
  await here.does(FENCE_DB2);
  const own = JSON.parse((await here.does(['status'])).stdout) as object;
  t.like(own, { port: 3306, runs: true, fenced: false, masked: false });
  const db2 = JSON.parse((await here.does([...FENCE_DB2.slice(0, 4), 'status'])).stdout) as object;
  t.like(db2, { port: 3307, runs: false, fenced: true, masked: true });
});

test('an instance is asked at its own socket whether it answers', async (t) => {
  const here = host(t, { mariadb: 3306 });
  await here.does(FENCE_DB2);
  const result = await here.does([...FENCE_DB2.slice(0, 4), 'unfence', '5']);
  t.is(result.status, 0, result.stderr);
  const asked = here.log().filter((line) => line.startsWith('mariadb-admin'));
  t.deepEqual([...new Set(asked)], ['mariadb-admin --socket=/run/mysqld/db2.sock ping']);
  t.true(here.log().includes('systemctl start --no-block mariadb@db2.service'));
});

test("a port that is another instance's is not rejected, and its server not ended", async (t) => {
  const here = host(t, { mariadb: 3306, 'mariadb@db2': 3307 });
  const result = await here.does(['--unit', 'mariadb@db3', '--port', '3307', 'fence']);
  t.is(result.status, 1);
  t.regex(
    result.stderr,
    /^port 3307 is that of mariadb@db2\.service, and not of mariadb@db3\.service: mysql_unit/,
  );
  t.deepEqual([here.runs('mariadb'), here.runs('mariadb@db2')], [true, true]);
  t.deepEqual(
    here.log().filter((line) => /^iptables|mask|stop/.test(line)),
    [],
  );
});

test('without its unit, an instance that has a name is not said to be fenced', async (t) => {
  const here = host(t, { 'mariadb@db2': 3306 });
  const result = await here.does(['fence']);
  t.is(result.status, 1);
  t.regex(result.stderr, /port 3306 is that of mariadb@db2\.service/);
  t.true(here.runs('mariadb@db2'));
});

test('the data of an instance whose options name none are not those of another one', async (t) => {
  const here = host(t, { mariadb: 3306 });
  const result = await here.does([
    '--unit',
    'mariadb@db3',
    '--port',
    '3309',
    'copy-from',
    'web2',
    '10.0.0.2',
  ]);
  t.not(result.status, 0);
  t.regex(result.stderr, /the options of mariadb@db3\.service name no socket/);
});

for (const words of [
  ['--unit', 'ssh', '--port', '22', 'fence'],
  ['--unit', 'mariadb@../../x', '--port', '3307', 'fence'],
  ['--unit', 'mariadb@', '--port', '3307', 'fence'],
  ['--unit', 'mariadb@db2', '--port', '22x', 'fence'],
  ['--unit', 'mariadb@db2', 'fence'],
  ['--unit', 'mariadb@db2', '--port', '3307'],
]) {
  test(`the script takes no unit but a server's: ${words.join(' ')}`, async (t) => {
    const result = await host(t, {}).does(words);
    t.is(result.status, 64);
    t.regex(result.stderr, /^expected fence/);
  });
}
