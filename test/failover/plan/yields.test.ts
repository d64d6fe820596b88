import test from 'ava';

import type { Action, Plan } from '../../../src/failover/plan/action.ts';
import { yields } from '../../../src/failover/plan/yields.ts';
import { planOf } from '../support/fake-ports.ts';

const plan = (kind: Plan['kind'], to: string, ...actions: readonly Action[]): Plan => ({
  ...planOf(actions.map((action) => ({ action }))),
  kind,
  to,
});

const CASES: readonly (readonly [string, Plan, boolean])[] = [
  ['a server that is started', plan('rejoin', 'db3', { do: 'unfence', instance: 'db3' }), true],
  [
    'a replica that follows and catches up',
    plan(
      'rejoin',
      'db3',
      { do: 'semi-sync-source', instance: 'db3', on: false },
      { do: 'follow', instance: 'db3', source: 'db1', demoted: false },
      { do: 'catch-up', instance: 'db3', with: 'db1' },
    ),
    true,
  ],
  ['a copy', plan('rejoin', 'db3', { do: 'clone', instance: 'db3', source: 'db2' }), false],
  [
    'how the primary acknowledges',
    plan('repair', 'db1', { do: 'semi-sync-source', instance: 'db1', on: false }),
    false,
  ],
  ['a fence', plan('rejoin', 'db3', { do: 'fence', instance: 'db3' }), false],
  ['a switchover', plan('switchover', 'db2', { do: 'hold-writers', ms: 1 }), false],
];

for (const [name, one, wanted] of CASES) {
  test(`${name} ${wanted ? 'gives way to a failover' : 'is ended first'}`, (t) => t.is(yields(one), wanted));
}
