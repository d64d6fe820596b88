import test from 'ava';

import { versionOf } from '../../src/database/version.ts';
import type { HostWork } from '../../src/upgrade/host-work.ts';
import type { PackageChange } from '../../src/upgrade/package-change.ts';
import {
  bringsServer,
  removalRefusals,
  type RunningInstance,
  unknownPackages,
  versionRefusals,
} from '../../src/upgrade/refusals.ts';

const PATCH = { name: 'mysql-server-core', from: '9.7.3-1', to: '9.7.4-1' };
const RELEASE = { name: 'mysql-server-core', from: '8.4.7-1', to: '9.7.4-1' };

function work(host: string, ...packages: readonly PackageChange[]): HostWork {
  return { host, packages, kept: [], services: [], rebootReasons: [] };
}

function instance(
  name: string,
  host: string,
  version: string | undefined,
  cluster = 'main',
): RunningInstance {
  return { cluster, name, host, version: version === undefined ? undefined : versionOf(version) };
}

const THREE = (version: string): readonly RunningInstance[] => [
  instance('db1', 'web1', version),
  instance('db2', 'web2', version),
  instance('db3', 'web3', version),
];

test('patches of all three are fine', (t) => {
  t.deepEqual(
    versionRefusals(
      ['web1', 'web2', 'web3'].map((host) => work(host, PATCH)),
      THREE('9.7.3'),
    ),
    [],
  );
});

test('a new release is refused on every host where it would come, at once', (t) => {
  const problems = versionRefusals(
    [work('web1', RELEASE), work('web2', { name: 'nginx', from: '1', to: '2' }, RELEASE), work('lb1', PATCH)],
    THREE('8.4.7'),
  );
  t.deepEqual(
    problems.map(({ message }) => message.replace(/, a newer.*/, '')),
    ['web1: db1 would go from 8.4.7 to 9.7.4', 'web2: db2 would go from 8.4.7 to 9.7.4'],
  );
  t.regex(problems[0]?.hint ?? '', /apt-mark hold/);
});

test('what runs counts, and not what is installed; of a silent one, what is installed', (t) => {
  const [problem] = versionRefusals(
    [work('web1', PATCH)],
    [instance('db1', 'web1', '9.6.0'), instance('db2', 'web2', '9.6.0')],
  );
  t.regex(problem?.message ?? '', /from 9\.6\.0 to 9\.7\.4/);
  const silent = [instance('db1', 'web1', undefined), instance('db2', 'web2', '9.7.3')];
  t.deepEqual(versionRefusals([work('web1', PATCH)], silent), []);
});

test('each cluster is judged on its own, on a machine that carries two as well', (t) => {
  const instances = [
    instance('db1', 'web1', '8.4.7'),
    instance('db2', 'web2', '9.7.4'),
    instance('orders1', 'web1', '8.4.7', 'orders'),
    instance('orders2', 'web2', '8.4.7', 'orders'),
  ];
  const problems = versionRefusals([work('web1', RELEASE)], instances);
  t.deepEqual(
    problems.map(({ message }) => message.split(' would')[0]),
    ['web1: orders1'],
  );
});

test('only a server of the database asks for the others', (t) => {
  t.true(bringsServer(work('web1', PATCH)));
  t.false(bringsServer(work('web1', { name: 'mysql-client', from: '9.7.3-1', to: '9.7.4-1' })));
});

test('nothing is removed for an upgrade', (t) => {
  t.deepEqual(removalRefusals('web1', { installs: [], removes: [] }), []);
  const [problem] = removalRefusals('web1', {
    installs: [],
    removes: [
      { name: 'keepalived', version: '1' },
      { name: 'socat', version: '1' },
    ],
  });
  t.is(problem?.message, 'web1: that would remove keepalived and socat');
});

test('a package that no host has is a mistake, with what it may have been', (t) => {
  const hosts = [new Map([['haproxy', '1']]), new Map([['nginx', '1']])];
  t.deepEqual(unknownPackages(['nginx', 'haproxi'], hosts), [
    { message: 'no host has a package "haproxi"', hint: 'did you mean "haproxy"?' },
  ]);
});
