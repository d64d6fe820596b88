import test from 'ava';

import { UserError } from '../../src/lib/errors.ts';
import { type AddressStatus, heldBy, parseAddressStatus } from '../../src/site/address-status.ts';

const CASES: readonly (readonly [string, string, Omit<AddressStatus, 'balancer'>])[] = [
  [
    'the holder of one address, without connections',
    'address 10.83.0.100 held\nstays\nconnections 0\n',
    {
      addresses: [{ address: '10.83.0.100', held: true, passes: [] }],
      yields: false,
      longestFinish: undefined,
      connections: 0,
      open: [],
    },
  ],
  [
    'one that yields, and has a connection still',
    'address 10.83.0.100 free\nyields\nfinishes 900\nconnections 1\nopen ESTAB 10.83.0.100:443 10.83.0.200:50522\n',
    {
      addresses: [{ address: '10.83.0.100', held: false, passes: [] }],
      yields: true,
      longestFinish: 900,
      connections: 1,
      open: ['ESTAB 10.83.0.100:443 10.83.0.200:50522'],
    },
  ],
  [
    'two addresses, whose packets are passed on',
    'address fd00::64 held\npasses fd00::64 lb1 57\naddress fd00::65 held\npasses fd00::65 lb1 0\npasses fd00::65 lb3 9999\nstays\nconnections 12\n',
    {
      addresses: [
        { address: 'fd00::64', held: true, passes: [{ peer: 'lb1', seconds: 57 }] },
        {
          address: 'fd00::65',
          held: true,
          passes: [
            { peer: 'lb1', seconds: 0 },
            { peer: 'lb3', seconds: 9999 },
          ],
        },
      ],
      yields: false,
      longestFinish: undefined,
      connections: 12,
      open: [],
    },
  ],
];

for (const [name, text, expected] of CASES) {
  test(`the status of ${name} is read`, (t) => {
    t.deepEqual(parseAddressStatus('lb1', text), { balancer: 'lb1', ...expected });
  });
}

for (const text of [
  '',
  'stays\nconnections 0\n',
  'address 10.83.0.100 held\nconnections 0\n',
  'address 10.83.0.100 held\nstays\n',
  'address 10.83.0.100 perhaps\nstays\nconnections 0\n',
]) {
  test(`a status that says too little is an error: ${JSON.stringify(text)}`, (t) => {
    const error = t.throws(() => parseAddressStatus('lb1', text), { instanceOf: UserError });
    t.regex(error.message, /^lb1: expected what vip-handover says/);
  });
}

test('what a balancer holds are the addresses on its front interface', (t) => {
  const text = 'address 10.83.0.100 free\naddress 10.83.0.101 held\nstays\nconnections 0\n';
  t.deepEqual(heldBy(parseAddressStatus('lb2', text)), ['10.83.0.101']);
});
