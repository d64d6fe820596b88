import test from 'ava';

import { labNames, labNetwork } from '../../src/lab/layout.ts';
import { faultsIn, gatewayRules, type NetworkLook } from '../../src/lab/network.ts';

const names = labNames('lab');
const network = labNetwork(0);

const WHOLE: NetworkLook = {
  inside: 'lo UNKNOWN 127.0.0.1/8\nfront UP 10.83.0.254/24\nback UP 10.83.1.1/24\noperator-f@if3 UP\n',
  client: 'eth0@if2 UP 10.83.0.200/24\n',
  operator: 'us-lab@if5 UP 10.83.0.1/24\n',
  route: 'unreachable 10.83.1.0/24\n',
  rules: gatewayRules(network),
  forwarding: '1\n',
};

const CASES: readonly (readonly [
  title: string,
  difference: Partial<NetworkLook>,
  faults: readonly RegExp[],
])[] = [
  ['a network that is complete has no fault', {}, []],
  [
    'a namespace that is not there is the only fault',
    { inside: undefined, rules: '' },
    [/no network namespace/],
  ],
  [
    'a firewall without rules, which a program of the same name left, is a fault',
    { rules: '' },
    [/"dnat to 10\.83\.0\.1:3142"/, /"masquerade"/, /"policy drop"/],
  ],
  [
    'the rules of another lab are a fault',
    { rules: gatewayRules(labNetwork(3)) },
    [/"dnat to 10\.83\.0\.1:3142"/],
  ],
  [
    'a bridge without its address is a fault',
    { inside: 'front UP 10.83.0.254/24\noperator-f UP\n' },
    [/10\.83\.1\.1/],
  ],
  ['a client without an address is a fault', { client: '' }, [/client lacks/]],
  ['an operator without an address is a fault', { operator: '' }, [/us-lab lacks/]],
  ['a way to the back network is a fault', { route: '' }, [/10\.83\.1\.0\/24 is not closed/]],
  ['a namespace that forwards nothing is a fault', { forwarding: '0\n' }, [/forwards no packets/]],
];

for (const [title, difference, expected] of CASES) {
  test(title, (t) => {
    const found = faultsIn({ ...WHOLE, ...difference }, names, network);
    t.is(found.length, expected.length, found.join('\n'));
    for (const [index, pattern] of expected.entries()) t.regex(found[index] ?? '', pattern);
  });
}
