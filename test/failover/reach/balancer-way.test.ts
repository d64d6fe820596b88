import type { NetworkInterfaceInfo } from 'node:os';
import test from 'ava';

import { isOnInterface } from '../../../src/failover/reach/balancer-way.ts';

const on = (address: string, internal: boolean): NetworkInterfaceInfo[] => [
  { address, internal, family: 'IPv4', netmask: '', mac: '', cidr: null },
];

test('an address on the loopback is held by nobody: every balancer has it there', (t) => {
  t.false(isOnInterface('203.0.113.10', { lo: on('203.0.113.10', true), eth0: on('203.0.113.11', false) }));
  t.true(isOnInterface('203.0.113.10', { lo: on('203.0.113.10', true), eth0: on('203.0.113.10', false) }));
  t.true(isOnInterface('2001:DB8::1', { eth0: on('2001:db8:0::1', false) }));
});
