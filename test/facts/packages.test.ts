import test from 'ava';

import { candidate } from '../../src/facts/candidate.ts';
import { packageStatus } from '../../src/facts/package.ts';
import { unit } from '../../src/facts/unit.ts';
import { aptSimulation } from '../../src/facts/apt-simulation.ts';
import { readFacts, SHELLS, testIn } from './run-script.ts';

for (const shell of SHELLS) {
  testIn(shell)(
    `${shell.join(' ')}: dpkg's packages, those that stand in for others, and those that are missing`,
    (t) => {
      const [dpkg, awk, none] = readFacts(shell, packageStatus, ['dpkg', 'awk', 'no-such-package+x']);
      t.like(dpkg, { installed: true, broken: false });
      t.regex(dpkg?.version ?? '', /^\d/);
      t.is(awk?.installed, false);
      t.true((awk?.providedBy.length ?? 0) > 0);
      t.like(none, { installed: false, providedBy: [] });
    },
  );

  testIn(shell)(`${shell.join(' ')}: a unit is always answered for, with or without systemd`, (t) => {
    const [fact] = readFacts(shell, unit, [{ name: 'no-such-unit' }]);
    t.true(fact?.properties?.['LoadState'] === 'not-found' || typeof fact?.error === 'string');
  });
}

const CASES = [
  { status: 'install ok installed', installed: true, broken: false, hasConfig: false, held: false },
  { status: 'hold ok installed', installed: true, broken: false, hasConfig: false, held: true },
  { status: 'install ok half-configured', installed: false, broken: true, hasConfig: false, held: false },
  {
    status: 'install reinstreq half-installed',
    installed: false,
    broken: true,
    hasConfig: false,
    held: false,
  },
  { status: 'install ok triggers-pending', installed: true, broken: false, hasConfig: false, held: false },
  { status: 'deinstall ok config-files', installed: false, broken: false, hasConfig: true, held: false },
  { status: 'unknown ok not-installed', installed: false, broken: false, hasConfig: false, held: false },
];

for (const { status, ...expected } of CASES) {
  test(`the state "${status}" is understood`, (t) => {
    const stdout = Buffer.from(`nginx\tamd64\t1.0\t${status}\n\0\0`);
    t.like(packageStatus.parse(stdout, ['nginx'])[0], expected);
    t.false(packageStatus.parse(stdout, ['nginx:arm64'])[0]?.installed);
  });
}

test('a provider is told by the whole name', (t) => {
  const stdout = Buffer.from('\0installed\tmawk\tawk, xawk (= 1)\ninstalled\tfoo\tawk-doc\n\0');
  t.deepEqual(packageStatus.parse(stdout, ['awk'])[0]?.providedBy, ['mawk']);
});

test('units come back in the order of their keys, per scope', (t) => {
  const output = Buffer.from(`Id=b.service\nLoadState=loaded\n\nId=a.timer\nLoadState=not-found\n\x000\0`);
  const facts = unit.parse(output, [{ name: 'b' }, { name: 'a.timer' }]);
  t.deepEqual(
    facts.map((fact) => fact.properties?.['LoadState']),
    ['loaded', 'not-found'],
  );
});

test('what systemctl says instead of an answer is the reason', (t) => {
  const output = Buffer.from(`Failed to connect to bus: Host is down\n\x001\0`);
  t.deepEqual(unit.parse(output, [{ name: 'x' }]), [
    { properties: undefined, error: 'Failed to connect to bus: Host is down' },
  ]);
});

test('candidates and simulations are read from what apt prints', (t) => {
  const policy =
    'nginx:\n  Installed: (none)\n  Candidate: 1.26.3-3\n  Version table:\nawk:\n  Installed: (none)\n  Candidate: (none)\n\0';
  t.deepEqual(candidate.parse(Buffer.from(policy), [{ name: 'nginx' }, { name: 'awk' }, { name: 'x' }]), [
    { known: true, version: '1.26.3-3' },
    { known: false },
    { known: false },
  ]);
  const lines =
    'Inst libc6 [2.41-12] (2.41-13 Debian:13.1/stable [amd64])\nInst new (1.0 Debian:13.1/stable [all])\nRemv old [0.9]\n\0';
  t.like(aptSimulation.parse(Buffer.from(lines), [['upgrade']])[0], {
    installs: [
      { name: 'libc6', from: '2.41-12', to: '2.41-13' },
      { name: 'new', from: undefined, to: '1.0' },
    ],
    removes: [{ name: 'old', version: '0.9' }],
  });
});
