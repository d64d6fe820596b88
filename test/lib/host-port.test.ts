import test from 'ava';

import { parseEndpoint } from '../../src/failover/coordination/etcd-http.ts';
import { hostPort } from '../../src/lib/host-port.ts';

const ADDRESSES: readonly (readonly [string, string])[] = [
  ['10.0.0.1', '10.0.0.1:2379'],
  ['db1', 'db1:2379'],
  ['fd00::1', '[fd00::1]:2379'],
  ['::1', '[::1]:2379'],
];

for (const [address, expected] of ADDRESSES) {
  test(`${address} and a port are ${expected}, which is read as both`, (t) => {
    t.is(hostPort(address, 2379), expected);
    t.deepEqual(parseEndpoint(expected), { address, port: 2379 });
  });
}
