import test from 'ava';

import { hostStateScript, parseHostState } from '../../src/upgrade/host-state.ts';
import { runScript, SHELLS, testIn } from '../facts/run-script.ts';

const STATE = [
  'amd64\nadduser\tall\t3.152\tinstalled\tinstall\nlibc6\tamd64\t2.41-12\tinstalled\tinstall\nlibc6\ti386\t2.41-12\tinstalled\tinstall\nnginx\tamd64\t1.26.3-3\ttriggers-pending\thold\ngone\tamd64\t1.0\tconfig-files\tdeinstall\nhalf\tamd64\t1.0\thalf-configured\tinstall\n',
  'systemd-nspawn\n',
  'the kernel b is installed, and a runs\n',
  'init\nnginx.service\n',
  'dbus.service\n',
  'nginx.service libc6\nnginx.service nginx\ncron.service cron\n',
  '1764384000.5\t/etc/haproxy/haproxy.cfg.dpkg-dist\n',
];

test('what a host says of itself is understood', (t) => {
  t.deepEqual(parseHostState(Buffer.from(STATE.map((part) => `${part}\0`).join(''))), {
    installed: new Map([
      ['adduser', '3.152'],
      ['libc6', '2.41-12'],
      ['libc6:i386', '2.41-12'],
      ['nginx', '1.26.3-3'],
    ]),
    held: new Set(['nginx']),
    isContainer: true,
    rebootReasons: ['the kernel b is installed, and a runs'],
    stale: ['nginx.service'],
    staleUntilBoot: ['dbus.service'],
    uses: new Map([
      ['nginx.service', new Set(['libc6', 'nginx'])],
      ['cron.service', new Set(['cron'])],
    ]),
    asideFiles: new Map([['/etc/haproxy/haproxy.cfg.dpkg-dist', '1764384000.5']]),
  });
});

test('a machine that is none is no container', (t) => {
  const parts = STATE.with(1, 'none\n');
  t.false(parseHostState(Buffer.from(parts.map((part) => `${part}\0`).join(''))).isContainer);
});

for (const shell of SHELLS) {
  testIn(shell)(`${shell.join(' ')}: this machine can be read`, (t) => {
    const state = parseHostState(runScript(shell, hostStateScript()));
    t.regex(state.installed.get('dpkg') ?? '', /^\d/);
  });
}
