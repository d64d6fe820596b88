import test from 'ava';

import { replacement, replaceRefusals } from '../../../src/failover/plan/replace.ts';
import { describe, SETTINGS } from '../support/topology.ts';

const REFUSED: readonly {
  why: string;
  instances: readonly string[];
  old?: string;
  codes: readonly string[];
}[] = [
  {
    why: 'a replica whose acknowledgements the primary needs may be replaced',
    instances: ['db1 primary 1:1-100', 'db3 <db1 1:1-100', 'db4'],
    codes: [],
  },
  {
    why: 'the primary is not replaced',
    instances: ['db1 primary 1:1-100', 'db3 <db1 1:1-100', 'db4'],
    old: 'db1',
    codes: ['StillPrimary'],
  },
  {
    why: 'one that others follow is not replaced',
    instances: ['db1 primary 1:1-100', 'db3 <db1 1:1-100', 'db2 <db3 1:1-100', 'db4'],
    codes: ['HasReplicas'],
  },
  {
    why: 'one that is a replica already takes nobody’s place',
    instances: ['db1 primary 1:1-100', 'db3 <db1 1:1-100', 'db4 <db1 1:1-100'],
    codes: ['AlreadyMember'],
  },
  {
    why: 'nothing takes its own place',
    instances: ['db1 primary 1:1-100', 'db4 <db1 1:1-100'],
    old: 'db4',
    codes: ['AlreadyMember'],
  },
];

for (const { why, instances, old = 'db3', codes } of REFUSED) {
  test(why, (t) => {
    const topology = describe({ instances });
    const refusals = replaceRefusals(topology, { old, fresh: 'db4' }, SETTINGS);
    t.deepEqual(
      refusals.map(({ code }) => code),
      codes,
    );
  });
}

const PROGRESS = [
  ['absent', 'it does not answer', 'db4 dead=timeout'],
  ['absent', 'it follows nobody', 'db4 1:1-100'],
  ['absent', 'it follows another replica', 'db4 <db3 1:1-100'],
  ['absent', 'its receiver is stopped', 'db4 <db1x 1:1-100'],
  ['behind', 'it does not acknowledge', 'db4 <db1 noack 1:1-100'],
  ['behind', 'it lags', 'db4 <db1 lag=600 1:1-40'],
  ['behind', 'it cannot apply', 'db4 <db1 applier=1062 1:1-100'],
  ['ready', 'it has everything and acknowledges', 'db4 <db1 1:1-100'],
] as const;

for (const flavour of ['mysql', 'mariadb'] as const) {
  for (const [expected, why, line] of PROGRESS) {
    test(`${flavour}: a new instance is ${expected} when ${why}`, (t) => {
      const topology = describe({ flavour, instances: ['db1 primary 1:1-100', 'db3 <db1 1:1-100', line] });
      t.is(replacement(topology, 'db4', SETTINGS), expected);
    });
  }
}
