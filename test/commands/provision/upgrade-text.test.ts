import test from 'ava';

import {
  rebootPlan,
  rebootPlanText,
  upgradePlan,
  upgradePlanText,
  upgradeResult,
  upgradeResultText,
} from '../../../src/commands/provision/upgrade-text.ts';
import { lineSchema } from '../../../src/report/schema.ts';
import type { HostState } from '../../../src/upgrade/host-state.ts';

const PLAN = upgradePlan([
  { host: 'lb1', packages: [], kept: [], services: [], rebootReasons: [] },
  {
    host: 'web1',
    packages: [
      { name: 'nginx', from: '1.26.3-3', to: '1.26.3-3+deb13u1' },
      { name: 'linux-image-6.12.57+deb13-amd64', to: '6.12.57-1' },
    ],
    kept: [
      { name: 'nodejs', why: 'held' },
      { name: 'postfix', why: 'needs others' },
    ],
    services: ['app.service', 'nginx.service'],
    rebootReasons: ['linux-image-6.12.57+deb13-amd64 6.12.57-1 is a new kernel'],
  },
]);

test('what an upgrade would do is told host by host', (t) => {
  t.is(
    upgradePlanText(PLAN, false),
    `lb1: no packages to upgrade
web1: 2 packages to upgrade
  nginx 1.26.3-3 → 1.26.3-3+deb13u1
  linux-image-6.12.57+deb13-amd64 6.12.57-1 (new)
  restarts app.service, nginx.service
  needs a reboot (--reboot-if-needed): linux-image-6.12.57+deb13-amd64 6.12.57-1 is a new kernel
  stays as it is: nodejs (held)
  stays as it is: postfix (apt would have to remove others)
`,
  );
  t.regex(upgradePlanText(PLAN, true), /^ {2}is booted again: linux-image/m);
});

function state(changes: Partial<HostState>): HostState {
  return {
    installed: new Map([['nginx', '1']]),
    held: new Set(),
    isContainer: false,
    rebootReasons: [],
    stale: [],
    staleUntilBoot: [],
    uses: new Map(),
    asideFiles: new Map([['/etc/old.dpkg-dist', '1']]),
    ...changes,
  };
}

const RESULT = upgradeResult(
  new Map([
    ['lb1', state({})],
    ['web1', state({})],
    ['web2', state({})],
  ]),
  new Map([
    ['lb1', state({})],
    [
      'web1',
      state({
        installed: new Map([['nginx', '2']]),
        asideFiles: new Map([
          ['/etc/old.dpkg-dist', '1'],
          ['/etc/nginx/nginx.conf.dpkg-dist', '2'],
        ]),
        staleUntilBoot: ['dbus.service'],
        rebootReasons: ['the kernel b is installed, and a runs'],
      }),
    ],
  ]),
);

test('what has changed is told of the hosts that can be asked, and for people of those with something to tell', (t) => {
  t.deepEqual(Object.keys(RESULT.hosts), ['lb1', 'web1']);
  t.is(
    upgradeResultText(RESULT),
    `web1: 1 package upgraded
  nginx 1 → 2
  kept your configuration: the package's own is /etc/nginx/nginx.conf.dpkg-dist
  runs replaced code still: dbus.service
  needs a reboot (provision reboot --if-needed): the kernel b is installed, and a runs
`,
  );
});

test('why hosts would be booted is told, and that nothing asks for it', (t) => {
  const plan = rebootPlan(
    new Map([
      ['web1', ['the kernel b is installed, and a runs']],
      ['web2', []],
    ]),
  );
  t.is(rebootPlanText(plan), 'web1: the kernel b is installed, and a runs\nweb2: nothing asks for it\n');
  for (const line of [PLAN, RESULT, plan]) t.deepEqual(lineSchema.parse(line) as unknown, line);
});
