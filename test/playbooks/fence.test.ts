import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { run } from '../../src/lib/process.ts';

/* Whom a fence ends, with real processes; systemd, the firewall and the lists of control groups are stand-ins. */

const script = readFileSync(
  fileURLToPath(new URL('../../files/failover/understudy-node', import.meta.url)),
  'utf8',
);

/** How the control groups of a host are written, and below which one of its own the host is. */
const HIERARCHIES: readonly (readonly [string, string])[] = [
  ['0::', ''],
  ['12:pids:/x\n9:name=systemd:', ''],
  ['1:name=systemd:', '/lab.slice/web1'],
  ['0::', '/payload'],
];

for (const [prefix, above] of HIERARCHIES) {
  test(`a fence ends its own instance, and no other mysqld of the host: ${JSON.stringify(prefix)} below ${above || '/'}`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'understudy-fence-'));
    const bin = join(root, 'bin');
    mkdirSync(bin);
    const put = (name: string, body: string): void => {
      writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
      chmodSync(join(bin, name), 0o755);
    };
    put('systemctl', `[ "$1" != mask ] || ln -sfn /dev/null '${root}/'"$2"`);
    put('my_print_defaults', 'echo --port=3307');
    put('iptables', ':');
    put('ip6tables', ':');
    copyFileSync('/bin/sleep', join(bin, 'mariadbd'));
    const start = (): ChildProcess => spawn(join(bin, 'mariadbd'), ['600'], { stdio: 'ignore' });
    const [own, other, contained, byHand] = [start(), start(), start(), start()];
    put(
      'ss',
      `kill -0 ${byHand.pid} 2> /dev/null && grep -qv Z /proc/${byHand.pid}/stat && echo 'LISTEN 0 80 10.0.0.1:3307 0.0.0.0:* users:(("mariadbd",pid=${byHand.pid},fd=21))' || :`,
    );
    const groups = join(root, 'proc');
    const into = (pid: number | undefined, group: string): void => {
      mkdirSync(join(groups, String(pid)), { recursive: true });
      writeFileSync(join(groups, String(pid), 'cgroup'), `${prefix}${above}${group}\n`);
    };
    into(1, '/init.scope');
    into(own.pid, '/system.slice/mariadb.service');
    into(other.pid, '/system.slice/mariadb@other.service');
    into(contained.pid, '/machine.slice/one.scope/system.slice/mariadb.service');
    const ended = Promise.all([once(own, 'exit'), once(byHand, 'exit')]);
    t.teardown(async () => {
      for (const child of [own, other, contained, byHand]) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(root, { recursive: true });
    });
    const here = script
      .replace('PATH=/usr/sbin:', `PATH=${bin}:/usr/sbin:`)
      .replace('proc=/proc\n', `proc=${groups}\n`)
      .replaceAll('/usr/sbin/mariadbd', join(bin, 'mariadbd'))
      .replaceAll('/etc/systemd/system/', `${root}/`)
      .replace('state_dir=/var/lib/understudy', `state_dir=${root}`);
    const result = await run(['sh', '-s', 'fence'], { input: here });
    t.is(result.status, 0, result.stderr);
    t.regex(result.stdout, /mariadb\.service is masked and has ended/);
    const signals = (await ended).map(([, signal]) => signal as string);
    t.deepEqual(signals, ['SIGKILL', 'SIGKILL']);
    t.deepEqual([other.signalCode, contained.signalCode], [null, null]);
  });
}
