import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { account } from '../../src/facts/account.ts';
import { getent } from '../../src/facts/getent.ts';
import { group } from '../../src/facts/group.ts';
import { setup } from '../../src/facts/setup.ts';
import { sysctl, sysctlPath } from '../../src/facts/sysctl.ts';
import { which } from '../../src/facts/which.ts';
import { readFacts, SHELLS, testIn } from './run-script.ts';

for (const shell of SHELLS) {
  const name = shell.join(' ');

  testIn(shell)(`${name}: accounts and groups are read, by name and by number`, (t) => {
    const [root, byNumber, nobody] = readFacts(shell, account, ['root', '0', "no'body here"]);
    t.like(root, { name: 'root', uid: 0, gid: 0, group: 'root', home: '/root' });
    t.deepEqual(byNumber, root);
    t.is(nobody, undefined);
    t.like(readFacts(shell, group, ['root', 'no such'])[0], { name: 'root', gid: 0 });
    t.is(readFacts(shell, group, ['no such'])[0], undefined);
  });

  testIn(shell)(`${name}: databases are read whole and by key, and failures are told apart`, (t) => {
    const [all, one, none, unknown] = readFacts(shell, getent, [
      { database: 'passwd' },
      { database: 'passwd', key: 'root' },
      { database: 'passwd', key: 'nosuchuser' },
      { database: 'nosuchdatabase', key: 'x' },
    ]);
    t.true((all?.lines.length ?? 0) > 3);
    t.like(one, { status: 0 });
    t.regex(one?.lines[0] ?? '', /^root:/);
    t.is(none?.status, 2);
    t.is(unknown?.status, 1);
  });

  testIn(shell)(`${name}: the facts of a host agree with what this process sees`, (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'facts d-'));
    writeFileSync(join(directory, 'json.fact'), '{"a": [1]}');
    writeFileSync(join(directory, 'ini.fact'), '[s]\nKey = v\n');
    writeFileSync(join(directory, 'run.fact'), '#!/bin/sh\necho \'{"ran": true}\'\n', { mode: 0o755 });
    const [facts] = readFacts(shell, setup, [directory]);
    t.like(facts, {
      nodename: hostname(),
      user_id: userInfo().username,
      user_uid: process.getuid?.(),
      os_family: 'Debian',
      pkg_mgr: 'apt',
      system: 'Linux',
      lo: { device: 'lo', active: true, type: 'loopback' },
      local: { json: { a: [1] }, ini: { s: { key: 'v' } }, run: { ran: true } },
    });
    t.regex(String(facts?.['distribution_major_version']), /^\d+$/);
    t.true(Number(facts?.['memtotal_mb']) > 100);
    t.true(Number(facts?.['processor_vcpus']) >= 1);
    const time = facts?.['date_time'] as Record<string, string>;
    t.true(Math.abs(Number(time['epoch']) - Date.now() / 1000) < 60);
    t.regex(time['iso8601'] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    rmSync(directory, { recursive: true });
  });

  testIn(shell)(`${name}: kernel parameters and programs are found`, (t) => {
    const [kind, none] = readFacts(shell, sysctl, ['kernel.ostype', 'no.such']);
    t.is(kind, 'Linux');
    t.is(none, undefined);
    const [sh, nothing] = readFacts(shell, which, ['stat', 'no such program']);
    t.regex(sh ?? '', /stat$/);
    t.is(nothing, undefined);
  });
}

test('dots separate the parts of a kernel parameter unless a slash comes first', (t) => {
  t.is(sysctlPath('net.ipv4.ip_forward'), '/proc/sys/net/ipv4/ip_forward');
  t.is(sysctlPath('net/ipv4/conf/eth0.1/forwarding'), '/proc/sys/net/ipv4/conf/eth0.1/forwarding');
  t.is(sysctlPath('net.ipv4.conf.eth0/1.forwarding'), '/proc/sys/net/ipv4/conf/eth0.1/forwarding');
});
