import test from 'ava';

import { ServerFailure } from '../../../src/database/failure.ts';
import type { InstanceState } from '../../../src/database/state.ts';
import { adopt } from '../../../src/commands/failover/adopt-text.ts';
import { discover } from '../../../src/failover/reach/discover.ts';
import { hostPort } from '../../../src/lib/host-port.ts';
import { describe } from '../support/topology.ts';

/** Instances of a topology by where they are, with what their replicas report. */
function cluster(
  lines: readonly string[],
  replicas: Readonly<Record<string, readonly string[]>>,
): (address: { readonly host: string; readonly port: number }) => Promise<InstanceState> {
  const states = new Map(
    describe({ instances: [...lines] }).instances.flatMap((one) =>
      one.kind === 'answering'
        ? [
            [
              hostPort(one.spec.address, one.spec.port),
              {
                ...one.state,
                replicas: (replicas[one.spec.name] ?? []).map((address) => ({ uuid: 'u', address })),
              },
            ] as const,
          ]
        : [],
    ),
  );
  return ({ host, port }) => {
    const state = states.get(hostPort(host.replace(/^alias-/, ''), port));
    if (state) return Promise.resolve(state);
    const silence = { kind: 'refused', alive: false, message: 'connect ECONNREFUSED' } as const;
    return Promise.reject(new ServerFailure(host, 'connecting', silence));
  };
}

const LINES = ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 <db2 1:1-100'];
const REPLICAS = { db1: ['db2:3306'], db2: ['db3:3306'] };

for (const first of ['db1', 'db2', 'db3']) {
  test(`all instances are found from ${first}, by sources and by replicas`, async (t) => {
    const { instances, gaps } = await discover([{ host: first, port: 3306 }], cluster(LINES, REPLICAS));
    t.deepEqual(instances.map(({ address }) => address.host).sort(), ['db1', 'db2', 'db3']);
    t.deepEqual(gaps, []);
  });
}

test('an instance with two addresses is one', async (t) => {
  const ask = cluster(LINES, { db1: ['alias-db2:3306', 'DB2:3306'.toLowerCase()], db2: ['db3:3306'] });
  const { instances } = await discover([{ host: 'db1', port: 3306 }], ask);
  t.is(instances.length, 3);
});

test('one that does not answer is part of the cluster, and one that reports no address is a gap', async (t) => {
  const ask = cluster(LINES.slice(0, 2), { db1: ['db2:3306', 'db9:3306', ':3306'] });
  const { instances, gaps } = await discover([{ host: 'db1', port: 3306 }], ask);
  t.deepEqual(
    instances.map(({ address, answer }) => [address.host, answer.kind]),
    [
      ['db1', 'answering'],
      ['db2', 'answering'],
      ['db9', 'silent'],
    ],
  );
  t.is(gaps.length, 1);
  t.regex(gaps[0] ?? '', /report_host/);
});

test('the inventory keeps what the servers are, and says what is not as it should be', async (t) => {
  const ask = cluster(['db1 primary async 1:1-100', 'db2 <db1 async positions 1:1-100'], {
    db1: ['db2:3306'],
  });
  const { inventory, remarks } = adopt(await discover([{ host: 'db1', port: 3306 }], ask), 'shop');
  t.is(
    inventory.replaceAll(/^#.*\n/gm, ''),
    `all:
  children:
    servers:
      vars:
        failover_cluster: shop
        mysql_flavour: mysql
        mysql_initial_primary: db1
      hosts:
        db1:
          ansible_host: db1
          back_address: db1
          mysql_server_id: 1
        db2:
          ansible_host: db2
          back_address: db2
          mysql_server_id: 2
`,
  );
  t.true(
    remarks.some((remark) => remark.startsWith('db2 follows by file and position')),
    remarks.join('\n'),
  );
  t.true(
    remarks.some((remark) => remark.startsWith('semi-sync is off everywhere')),
    remarks.join('\n'),
  );
  t.false(
    remarks.some((remark) => /balancer|watch is/i.test(remark)),
    remarks.join('\n'),
  );
});
