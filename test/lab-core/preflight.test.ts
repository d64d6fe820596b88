import test from 'ava';
import { inspectMachine, type Machine, obstacles } from '../../src/lab/preflight.ts';

const able: Machine = {
  platform: 'linux',
  root: true,
  fileSystems: 'nodev\toverlay\n\text4\n',
  cgroups: '/sys/fs/cgroup',
  cgroupKill: true,
  missing: [],
  apt: true,
};

const tool = { file: 'nft', package: 'nftables', why: 'cuts networks' };

const cases: readonly (readonly [string, Partial<Machine>, RegExp | undefined])[] = [
  ['an able machine has no obstacle', {}, undefined],
  ['missing programs are no obstacle where they can be installed', { missing: [tool] }, undefined],
  [
    'without apt the missing programs are named with their packages',
    { missing: [tool], apt: false },
    /nft.*nftables/s,
  ],
  ['macOS is sent to Vagrant', { platform: 'darwin', root: false }, /darwin.*Vagrant/s],
  ['without root the way is sudo', { root: false }, /root.*sudo/s],
  [
    'without root the packages that would be installed are named beforehand',
    { root: false, missing: [tool] },
    /sudo \(it will install nftables\)/,
  ],
  ['a kernel without overlayfs is named', { fileSystems: '\text4\n' }, /overlay/],
  [
    'a machine without cgroup v2 is told how to mount it',
    { cgroups: undefined },
    /cgroup v2.*mount -t cgroup2/s,
  ],
  ['a kernel that cannot kill a group is named', { cgroupKill: false }, /5\.14/],
];

for (const [name, difference, expected] of cases) {
  test(name, (t) => {
    const found = obstacles({ ...able, ...difference });
    t.is(found.length, expected ? 1 : 0);
    if (expected) t.regex(`${found[0]?.message}\n${found[0]?.hint}`, expected);
  });
}

test('without root everything that is in the way is said at once', (t) => {
  const found = obstacles({ ...able, root: false, cgroups: undefined, missing: [tool], apt: false });
  t.deepEqual(
    found.map(({ message }) => /root|cgroup v2|nft/.exec(message)?.[0]),
    ['root', 'cgroup v2', 'nft'],
  );
});

test('this machine can be looked at without being root', async (t) => {
  const machine = await inspectMachine();
  t.is(machine.platform, process.platform);
  t.is(machine.root, process.getuid?.() === 0);
});
