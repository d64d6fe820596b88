import test from 'ava';

import { seekersOf, witnessedPatienceMs } from '../../../src/failover/reach/witnessed.ts';
import type { InstanceState } from '../../../src/database/state.ts';
import { fakeCluster } from '../support/fake-ports.ts';
import { healthyState } from '../support/topology.ts';

const [db1] = fakeCluster().cluster.instances;

type Receiver = NonNullable<InstanceState['replication']>['receiver'];

/** Nothing else of an instance is asked for. */
const replica = (name: string, receiver: Receiver, sourceHost = '10.0.0.1'): [string, InstanceState] => [
  name,
  { replication: { sourceHost, sourcePort: 3306, receiver } } as InstanceState,
];

const cases = [
  {
    name: 'all seek it',
    states: [replica('db2', 'connecting'), replica('db3', 'connecting')],
    found: ['db2', 'db3'],
  },
  {
    name: 'one was stopped by hand',
    states: [replica('db2', 'connecting'), replica('db3', 'off')],
    found: ['db2'],
  },
  { name: 'one hears it', states: [replica('db2', 'connecting'), replica('db3', 'on')], found: undefined },
  {
    name: 'one follows another',
    states: [replica('db2', 'connecting'), replica('db3', 'connecting', '10.0.0.2')],
    found: undefined,
  },
  { name: 'nobody follows anybody', states: [['db2', healthyState('mysql', 'db2', '')]], found: undefined },
] as const;

for (const { name, states, found } of cases) {
  test(`who seeks a silent source: ${name}`, (t) => {
    t.deepEqual(db1 && seekersOf(db1, new Map(states)), found);
  });
}

test('a silent source gets as long as the slowest of the others, and twice as long again', (t) => {
  t.is(witnessedPatienceMs(100), 200);
  t.is(witnessedPatienceMs(5), 150, 'on open connections the others are quicker than a new one can be');
  t.is(witnessedPatienceMs(5000), 400);
});
