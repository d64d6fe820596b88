import test from 'ava';

import type { SimulationFact } from '../../src/facts/apt-simulation.ts';
import type { HostState } from '../../src/upgrade/host-state.ts';
import {
  hasWork,
  hostWork,
  type HostWork,
  meantPackages,
  parseMadison,
  parseUpgrade,
  type UpgradeWish,
} from '../../src/upgrade/host-work.ts';
import { packageChanges } from '../../src/upgrade/package-change.ts';

const EVERYTHING: UpgradeWish = { packages: undefined, securityOnly: false, rebootIfNeeded: false };

const STATE: HostState = {
  installed: new Map([
    ['haproxy', '3.0.11-1'],
    ['postfix', '3.10.4-1'],
    ['libssl3t64', '3.5.1-1'],
    ['nodejs', '20.19.2+dfsg-1'],
    ['linux-image-amd64', '6.12.41-1'],
  ]),
  held: new Set(['nodejs']),
  isContainer: false,
  rebootReasons: [],
  stale: [],
  staleUntilBoot: [],
  uses: new Map([
    ['haproxy.service', new Set(['haproxy', 'libssl3t64', 'libc6'])],
    ['app.service', new Set(['nodejs', 'libssl3t64', 'libc6'])],
    ['cron.service', new Set(['cron', 'libc6'])],
    ['init', new Set(['systemd', 'libc6'])],
  ]),
  asideFiles: new Map(),
};

// As apt-get 3.0 of Debian 13 prints it.
const ALL = parseUpgrade(`Reading package lists...
Calculating upgrade...
The following packages have been kept back:
  nodejs
  postfix
The following NEW packages will be installed:
  linux-image-6.12.57+deb13-amd64
The following packages will be upgraded:
  haproxy libssl3t64 linux-image-amd64
3 upgraded, 1 newly installed, 0 to remove and 2 not upgraded.
Inst haproxy [3.0.11-1] (3.0.11-1+deb13u1 Debian-Security:13/stable-security [amd64])
Inst libssl3t64 [3.5.1-1] (3.5.4-1~deb13u2 Debian:13.3/stable [amd64])
Inst linux-image-6.12.57+deb13-amd64 (6.12.57-1 Debian:13.3/stable [amd64])
Inst linux-image-amd64 [6.12.41-1] (6.12.57-1 Debian:13.3/stable [amd64])
Conf haproxy (3.0.11-1+deb13u1 Debian-Security:13/stable-security [amd64])
`);
const NOTHING = { installs: [], removes: [] };

function workOf(
  wish: Partial<UpgradeWish>,
  state: Partial<HostState> = {},
  chosen: SimulationFact = ALL,
): HostWork {
  return hostWork('lb1', { ...EVERYTHING, ...wish }, { ...STATE, ...state }, chosen, ALL);
}

test('packages, the services that run their code, and the kernel that only a boot brings', (t) => {
  t.deepEqual(workOf({}), {
    host: 'lb1',
    packages: [
      { name: 'haproxy', from: '3.0.11-1', to: '3.0.11-1+deb13u1' },
      { name: 'libssl3t64', from: '3.5.1-1', to: '3.5.4-1~deb13u2' },
      { name: 'linux-image-6.12.57+deb13-amd64', to: '6.12.57-1' },
      { name: 'linux-image-amd64', from: '6.12.41-1', to: '6.12.57-1' },
    ],
    kept: [
      { name: 'nodejs', why: 'held' },
      { name: 'postfix', why: 'needs others' },
    ],
    services: ['app.service', 'haproxy.service'],
    rebootReasons: ['linux-image-6.12.57+deb13-amd64 6.12.57-1 is a new kernel'],
  });
});

test('in a container no kernel is waited for', (t) => {
  t.deepEqual(workOf({}, { isContainer: true }).rebootReasons, []);
});

test('what was replaced before is restarted with the rest, and systemd is none of it', (t) => {
  const libc = parseUpgrade('Inst libc6 [2.41-12] (2.41-13 Debian:13.3/stable [amd64])\n');
  const { services } = workOf({}, { stale: ['chrony.service', 'cron.service'] }, libc);
  t.deepEqual(services, ['app.service', 'chrony.service', 'cron.service', 'haproxy.service']);
});

const MADISON = `   haproxy | 3.0.11-1+deb13u1 | http://security.debian.org/debian-security trixie-security/main amd64 Packages
   haproxy | 3.0.11-1 | http://deb.debian.org/debian trixie/main amd64 Packages
   haproxy | 3.0.11-1 | http://deb.debian.org/debian trixie/main Sources
libssl3t64 | 3.5.4-1~deb13u2 | http://deb.debian.org/debian trixie/main amd64 Packages
libssl3t64 | 3.5.1-1+deb13u1 | http://security.debian.org/debian-security trixie-security/main amd64 Packages
   postfix | 3.10.5-1 | http://deb.debian.org/debian trixie/main amd64 Packages
    nodejs | 20.19.3+dfsg-1 | http://security.debian.org/debian-security trixie-security/main amd64 Packages
`;

test('for security are those with a newer version in a suite for it, also when a still newer one is elsewhere', (t) => {
  const available = parseMadison(MADISON);
  t.deepEqual(available[0], {
    name: 'haproxy',
    version: '3.0.11-1+deb13u1',
    suite: 'trixie-security/main',
  });
  t.is(available.length, 6);
  const meant = (wish: Partial<UpgradeWish>, state: Partial<HostState> = {}) =>
    meantPackages({ ...EVERYTHING, ...wish }, { ...STATE, ...state }, ALL, available);
  t.is(meant({}), undefined);
  t.deepEqual(meant({ securityOnly: true }), ['haproxy', 'libssl3t64']);
  t.deepEqual(meant({ securityOnly: true }, { held: new Set() }), ['haproxy', 'libssl3t64', 'nodejs']);
  t.deepEqual(meant({ packages: ['postfix', 'haproxy', 'cron'] }), ['haproxy', 'postfix']);
  t.deepEqual(meant({ packages: ['postfix', 'haproxy'], securityOnly: true }), ['haproxy']);
  t.deepEqual(meant({ packages: ['nodejs'] }), []);
});

test('an older version in a suite for security is none', (t) => {
  const old = parseMadison(
    'haproxy | 3.0.10-1+deb13u3 | http://security.debian.org/debian-security trixie-security/main amd64 Packages\n',
  );
  t.deepEqual(meantPackages({ ...EVERYTHING, securityOnly: true }, STATE, ALL, old), []);
});

test('of packages that were named, those that are held are told', (t) => {
  t.deepEqual(workOf({ packages: ['nodejs', 'haproxy'] }, {}, NOTHING).kept, [
    { name: 'haproxy', why: 'needs others' },
    { name: 'nodejs', why: 'held' },
  ]);
  t.deepEqual(workOf({ securityOnly: true }, {}, NOTHING).kept, []);
});

const WORKS: readonly {
  readonly title: string;
  readonly wish?: Partial<UpgradeWish>;
  readonly state?: Partial<HostState>;
  readonly isEmpty?: true;
  readonly expected: boolean;
}[] = [
  { title: 'packages', expected: true },
  { title: 'nothing', isEmpty: true, expected: false },
  { title: 'services with replaced code', isEmpty: true, state: { stale: ['app.service'] }, expected: true },
  {
    title: 'services that nobody restarts',
    isEmpty: true,
    state: { staleUntilBoot: ['dbus.service'] },
    expected: false,
  },
  {
    title: 'a reboot that was not asked for',
    isEmpty: true,
    state: { rebootReasons: ['kernel'] },
    expected: false,
  },
  {
    title: 'a reboot that was',
    isEmpty: true,
    wish: { rebootIfNeeded: true },
    state: { rebootReasons: ['kernel'] },
    expected: true,
  },
];

for (const { title, wish = {}, state = {}, isEmpty, expected } of WORKS) {
  test(`${expected ? 'worth' : 'not worth'} taking a host out of service: ${title}`, (t) => {
    const work = workOf(wish, state, isEmpty ? NOTHING : ALL);
    t.is(hasWork(work, { ...STATE, ...state }, { ...EVERYTHING, ...wish }), expected);
  });
}

test('what has changed is told by name: newer, new and gone', (t) => {
  t.deepEqual(
    packageChanges(
      new Map([
        ['b', '1'],
        ['a', '1'],
        ['c', '1'],
      ]),
      new Map([
        ['a', '1'],
        ['d', '1'],
        ['b', '2'],
      ]),
    ),
    [
      { name: 'b', from: '1', to: '2' },
      { name: 'c', from: '1' },
      { name: 'd', to: '1' },
    ],
  );
});
