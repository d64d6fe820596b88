import { readFileSync } from 'node:fs';
import test from 'ava';

import { parseGtids } from '../../../src/database/gtid.ts';
import { UserError } from '../../../src/lib/errors.ts';
import type { LogsFrom, Machine } from '../../../src/failover/reach/machine.ts';
import { readTail, tailStatements } from '../../../src/failover/reach/read-tail.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import { fakeCluster } from '../support/fake-ports.ts';
import { healthyState, NO_MEMORY, NOW } from '../support/topology.ts';

const UUID = 'adbb9a69-eb79-11f1-9605-022bb2fc5680';
const said = (name: string): string =>
  readFileSync(new URL(`../../database/log-text/${name}.txt`, import.meta.url), 'utf8');

/** db1 is dead, db2 has this, db3 does not answer. */
function topologyWith(executed: string): Topology {
  const { instances } = fakeCluster().cluster;
  return {
    cluster: 'test',
    at: NOW,
    balancers: [],
    memory: NO_MEMORY,
    instances: instances.map((spec) =>
      spec.name === 'db2'
        ? { spec, kind: 'answering', state: healthyState('mysql', 'db2', executed), ms: 1 }
        : { spec, kind: 'silent', silence: { kind: 'refused', alive: false, message: 'refused' }, ms: 1 },
    ),
  };
}

function machineWith(behaviour: Partial<Machine>): { machine: Machine; asked: LogsFrom[] } {
  const asked: LogsFrom[] = [];
  const fake = fakeCluster().ports.machines.get('db1');
  if (fake === undefined) throw new Error('no machine');
  return {
    asked,
    machine: {
      ...fake,
      newestLogs: () => Promise.resolve(said('mysql-9.7-heads')),
      logEvents: (from) => {
        asked.push(from);
        return Promise.resolve(said('mysql-9.7'));
      },
      logStatements: (from) => {
        asked.push(from);
        return Promise.resolve(Buffer.from('statements'));
      },
      ...behaviour,
    },
  };
}

test('the tail begins with the newest log before which nothing is lacking', async (t) => {
  const { machine, asked } = machineWith({});
  const tail = await readTail(machine, 'db1', topologyWith(`${UUID}:1-44`), 'mysql');
  t.deepEqual(asked, [{ log: 'binlog.000002', beyond: `${UUID}:1-44` }]);
  if ('unreadable' in tail) return t.fail(tail.unreadable);
  t.is(tail.logged.toString(), `${UUID}:1-47`);
  t.false(tail.isCut);
  t.deepEqual(
    tail.transactions.map(({ gtid }) => gtid),
    [45, 46, 47].map((number) => `${UUID}:${number}`),
  );
});

test('an instance that is further behind gets the older logs, too', async (t) => {
  const { machine, asked } = machineWith({});
  await tailStatements(machine, 'mysql', parseGtids('mysql', `${UUID}:1-20`));
  t.deepEqual(asked, [{ log: 'binlog.000001', beyond: `${UUID}:1-20` }]);
});

test('what keeps a log from being read is said, and fails nothing', async (t) => {
  const reasons = [
    [{ newestLogs: () => Promise.reject(new UserError('web1: it is encrypted')) }, /encrypted/],
    [{ logEvents: () => Promise.reject(new UserError('web1: cannot be read to its end')) }, /to its end/],
    [{ newestLogs: () => Promise.resolve('') }, /begins before its oldest binary log/],
  ] as const;
  for (const [behaviour, reason] of reasons) {
    const { machine } = machineWith(behaviour);
    const tail = await readTail(machine, 'db1', topologyWith(`${UUID}:1-44`), 'mysql');
    t.regex('unreadable' in tail ? tail.unreadable : '', reason);
  }
});
