import test from 'ava';

import { mount, type MountKey } from '../../src/facts/mount.ts';
import { readFacts, SHELLS, testIn } from './run-script.ts';

const MOUNTINFO = [
  '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '23 22 0:21 / /proc rw shared:2 - proc proc rw',
  '24 22 8:17 / /data rw - ext4 /dev/sdb1 rw',
  '25 22 8:17 /app/files /srv/two\\040words rw - ext4 /dev/sdb1 rw',
  '26 22 8:1 /var/log /logs rw - ext4 /dev/sda1 rw',
  '27 22 0:50 / /nfs rw - nfs4 nas:/export rw',
  '28 22 0:51 / /nfs rw - tmpfs tmpfs rw',
  '29 22 253:1 / /lv rw - xfs /dev/mapper/vg-lv rw',
  '30 22 8:17 / /again rw - ext4 /dev/sdb1 rw',
].join('\n');

/** The key, where path and source lead in the end, the source's device number, and what is to be found. */
const CASES: readonly (readonly [
  MountKey,
  { readonly path?: string; readonly source?: string; readonly device?: string },
  object,
])[] = [
  [{ path: '/' }, {}, { mounted: true, source: '/dev/sda1', fstype: 'ext4', isSource: false }],
  [{ path: '/nowhere', source: '/dev/sdb1' }, { source: '/dev/sdb1' }, { mounted: false }],
  [{ path: '/data', source: '/dev/sdb1' }, { source: '/dev/sdb1', device: '8:11' }, { isSource: true }],
  [{ path: '/data', source: 'UUID=1-2' }, { source: '/dev/sdb1', device: '8:11' }, { isSource: true }],
  [{ path: '/data', source: 'UUID=3-4' }, { source: '/dev/sdc1', device: '8:21' }, { isSource: false }],
  [{ path: '/data', source: 'LABEL=none' }, {}, { isSource: false }],
  [{ path: '/lv', source: '/dev/vg/lv' }, { source: '/dev/dm-1', device: 'fd:1' }, { isSource: true }],
  [{ path: '/link', source: '/data/' }, { path: '/again', source: '/data' }, { isSource: true }],
  [{ path: '/again', source: '/data/app' }, { source: '/data/app' }, { isSource: false }],
  [{ path: '/srv/two words', source: '/data/app/files' }, { source: '/data/app/files' }, { isSource: true }],
  [
    { path: '/srv/two words', source: '/dev/sdb1' },
    { source: '/dev/sdb1', device: '8:11' },
    { isSource: false },
  ],
  [{ path: '/logs', source: '/var/log' }, { source: '/var/log' }, { mounted: true, isSource: true }],
  [{ path: '/logs', source: '/var' }, { source: '/var' }, { mounted: true, isSource: false }],
  [{ path: '/nfs', source: 'tmpfs' }, {}, { mounted: true, fstype: 'tmpfs', isSource: true }],
  [{ path: '/nfs', source: 'nas:/export/' }, {}, { mounted: true, isSource: false }],
];

for (const [key, { path = key.path, source = '', device = '' }, expected] of CASES) {
  test(`what is mounted on ${key.path}, and is it ${key.source ?? 'anything'}`, (t) => {
    const text = `${MOUNTINFO}\n\0${path}\0${source}\0${device === '' ? '' : `${device}\n`}\0`;
    t.like(mount.parse(Buffer.from(text), [key])[0], expected);
  });
}

for (const shell of SHELLS) {
  testIn(shell)(`${shell.join(' ')}: mounts of this machine are read`, (t) => {
    const keys: MountKey[] = [
      { path: '/proc', source: 'proc' },
      { path: '/proc/..' },
      { path: "/no such/it's", source: 'UUID=no-such' },
      { path: '/proc', source: '/proc/self' },
    ];
    const [proc, root, missing, other] = readFacts(shell, mount, keys);
    t.like(proc, { mounted: true, source: 'proc', fstype: 'proc', isSource: true });
    t.like(root, { mounted: true });
    t.deepEqual(missing, { mounted: false });
    t.like(other, { mounted: true, isSource: false });
  });
}
