import test from 'ava';

import { parseEndpoint } from '../../src/failover/coordination/etcd-http.ts';
import { hostPort, parseHostPort } from '../../src/lib/host-port.ts';

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

const TEXTS: readonly (readonly [string, string | undefined])[] = [
  ['db1', 'db1 3306'],
  ['10.0.0.1:3307', '10.0.0.1 3307'],
  ['fd00::1', 'fd00::1 3306'],
  ['[fd00::1]', 'fd00::1 3306'],
  ['[fd00::1]:3307', 'fd00::1 3307'],
  ['db1:', undefined],
  ['db1:0', undefined],
  ['db1:70000', undefined],
  ['db1:x', undefined],
  ['', undefined],
];

for (const [text, expected] of TEXTS) {
  test(`"${text}" is ${expected ?? 'no address'}`, (t) => {
    const read = parseHostPort(text, 3306);
    t.is(read && `${read.host} ${read.port}`, expected);
  });
}
