import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { run } from '../../src/lib/process.ts';

/* What `understudy-node` takes from what a server says about read_only; the server and the network are stand-ins. */

const script = readFileSync(
  fileURLToPath(new URL('../../files/failover/understudy-node', import.meta.url)),
  'utf8',
);

type Access = 'writable' | 'read-only' | 'unknown';

const SAYINGS: readonly (readonly [string, Access])[] = [
  ['0', 'writable'],
  ['1', 'read-only'],
  // MariaDB from 12.0.1 on.
  ['OFF', 'writable'],
  ['ON', 'read-only'],
  ['NO_LOCK', 'read-only'],
  ['NO_LOCK_NO_ADMIN', 'read-only'],
  ['', 'unknown'],
  ["ERROR 2002 (HY000): Can't connect to local server", 'unknown'],
];

/** The script on a machine whose server says this. */
function machine(t: ExecutionContext, says: string) {
  const root = mkdtempSync(join(tmpdir(), 'understudy-read-only-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const bin = join(root, 'bin');
  const log = join(root, 'log');
  mkdirSync(bin);
  const put = (program: string, body: string): void => {
    writeFileSync(join(bin, program), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, program), 0o755);
  };
  writeFileSync(join(root, 'says'), says);
  put(
    'mariadb',
    `case "$*" in
      *"SELECT @@global.read_only"*) cat '${root}/says'; echo ;;
      *"SELECT 1"* | *"SELECT GET_LOCK"*) echo 1 ;;
      *"SELECT COUNT"*) echo 0 ;;
      *SET*) printf '%s\\n' "$*" | sed 's/.*SET GLOBAL/SET GLOBAL/' >> '${log}' ;;
      *--binary-mode*) cat >> '${log}' ;;
    esac`,
  );
  put('my_print_defaults', `printf '%s\\n' --port=3306 --datadir='${root}'`);
  for (const program of ['mariadbd', 'mariadb-admin', 'arping', 'sleep', 'systemd-run', 'socat'])
    put(program, ':');
  put('systemctl', '[ "$1" != is-active ]');
  // The address is there for the guard's first look, and for the one before it renews the address.
  put(
    'ip',
    `case "$*" in
      *show*) echo look >> '${root}/looks'; [ "$(wc -l < '${root}/looks')" -gt 2 ] || echo there ;;
      *) echo "ip $2" >> '${log}' ;;
    esac`,
  );
  const here = script
    .replace('PATH=/usr/sbin:', `PATH=${bin}:/usr/sbin:`)
    .replaceAll('/usr/sbin/mariadbd', join(bin, 'mariadbd'))
    .replaceAll('/sys/class/net/', `${root}/`)
    .replaceAll('/run/understudy-', `${root}/`)
    .replace('state_dir=/var/lib/understudy', `state_dir=${root}`);
  const logged = (): readonly string[] =>
    existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
  return {
    root,
    bin,
    logged,
    does: async (argv: readonly string[]) => await run(['sh', '-s', '--', ...argv], { input: here }),
    here,
  };
}

for (const [says, access] of SAYINGS) {
  test(`a server that says ${JSON.stringify(says)} is ${access} to the guard of an address`, async (t) => {
    const { root, bin, logged, does } = machine(t, says);
    mkdirSync(join(root, 'eth0'));
    const taken = await does(['address-take', '10.0.0.9/24', 'eth0']);
    t.is(taken.status, 0, taken.stderr);
    rmSync(join(root, 'looks'), { force: true });
    rmSync(join(root, 'log'));
    await run(
      [
        'env',
        `PATH=${bin}:/usr/bin:/bin`,
        'sh',
        join(root, 'address-guard'),
        '10.0.0.9/24',
        'eth0',
        'mariadb',
        '10',
        '',
      ],
      { timeoutMs: 20_000 },
    );
    t.deepEqual(logged(), { writable: ['ip change'], 'read-only': ['ip delete'], unknown: [] }[access]);
  });

  test(`a server that says ${JSON.stringify(says)} is ${access} to a log that is to be applied`, async (t) => {
    const { root, bin, logged, here } = machine(t, says);
    writeFileSync(join(root, 'script'), here);
    const applied = await run([
      'sh',
      '-c',
      `echo 'INSERT 1;' | gzip | PATH=${bin}:$PATH sh '${root}/script' apply-log`,
    ]);
    if (access !== 'read-only') {
      t.is(applied.status, 1);
      t.regex(applied.stderr, /this instance is writable, or does not answer/);
      t.deepEqual(logged(), []);
      return;
    }
    t.is(applied.status, 0, applied.stderr);
    const log = logged().filter((line) => /INSERT|read_only/.test(line));
    t.deepEqual(
      log,
      says === 'NO_LOCK_NO_ADMIN'
        ? ['SET GLOBAL read_only = ON', 'INSERT 1;', "SET GLOBAL read_only = 'NO_LOCK_NO_ADMIN'"]
        : ['INSERT 1;'],
    );
  });

  test(`a server that says ${JSON.stringify(says)} is ${access} to a copy`, async (t) => {
    const { does } = machine(t, says);
    const copied = await does(['copy-from', 'db1', '10.0.0.1']);
    t.is(copied.status, 1);
    // What would be copied from does not answer here.
    t.regex(
      copied.stderr,
      access === 'writable' ? /this instance is writable/ : /nothing came from the donor/,
    );
  });
}
