import test from 'ava';

import { parsePlatform, PLATFORM_COMMANDS } from '../../src/facts/setup-platform.ts';
import { runScript, SHELLS, testIn } from './run-script.ts';

test('what is managed with what is read from what the programs print', (t) => {
  const facts = parsePlatform(
    new Map([
      ['python', 'Python 3.11.2\n'],
      ['systemd', 'systemd 257 (257.7-1)\n+PAM +AUDIT\n'],
      ['capabilities', 'Current: =ep cap_sys_resource-ep,cap_syslog-ep\n'],
      ['vgs', 'found\n  data,1,2,0,wz--n-,9.99,4.99\n'],
      ['lvs', 'found\n  home,data,-wi-a-----,3.00,,,,,,,,\n  srv,data,-wi-a-----,2.00,,,,,,,,\n'],
      ['pvs', 'found\n  /dev/sdb,data,lvm2,a--,9.99,4.99\n'],
      [
        'local4',
        'local 10.0.0.1 dev eth0 proto kernel\nbroadcast 10.0.0.255 dev eth0\nlocal 10.0.0.1 dev eth1\n',
      ],
      ['local6', 'local ::1 dev lo proto kernel metric 0 pref medium\nanycast fe80:: dev eth0\n'],
      ['/etc/iscsi/initiatorname.iscsi', '# mine\nInitiatorName=iqn.1993-08.org.debian:01:ab\n'],
    ]),
    'bookworm',
    'systemd',
  );
  t.deepEqual(facts, {
    python_version: '3.11.2',
    python: {
      version: { major: 3, minor: 11, micro: 2, releaselevel: 'final', serial: 0 },
      version_info: [3, 11, 2, 'final', 0],
      executable: '/usr/bin/python3',
      has_sslcontext: true,
      type: 'cpython',
    },
    systemd: { version: 257, features: '+PAM +AUDIT' },
    system_capabilities: ['ep cap_sys_resource-ep', 'cap_syslog-ep'],
    system_capabilities_enforced: 'True',
    lvm: {
      vgs: { data: { size_g: '9.99', free_g: '4.99', num_lvs: '2', num_pvs: '1' } },
      lvs: { home: { size_g: '3.00', vg: 'data' }, srv: { size_g: '2.00', vg: 'data' } },
      pvs: { '/dev/sdb': { size_g: '9.99', free_g: '4.99', vg: 'data' } },
    },
    locally_reachable_ips: { ipv4: ['10.0.0.1'], ipv6: ['::1'] },
    iscsi_iqn: 'iqn.1993-08.org.debian:01:ab',
    hostnqn: '',
    fibre_channel_wwn: [],
  });
});

test('a host without any of it has the facts even so', (t) => {
  t.like(parsePlatform(new Map(), 'trixie', 'sysvinit'), {
    python_version: '3.13.5',
    python: { version: { major: 3, minor: 13 } },
    systemd: undefined,
    system_capabilities: 'N/A',
    system_capabilities_enforced: 'N/A',
    lvm: 'N/A',
  });
  t.like(parsePlatform(new Map([['capabilities', 'Current: =ep']]), '', ''), {
    system_capabilities: [],
    system_capabilities_enforced: 'False',
  });
});

for (const shell of SHELLS) {
  testIn(shell)(`${shell.join(' ')}: the commands for it are the shell's`, (t) => {
    for (const [, command] of PLATFORM_COMMANDS) t.notThrows(() => runScript(shell, `{ ${command}; } || :`));
  });
}
