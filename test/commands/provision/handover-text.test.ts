import test from 'ava';

import { addressesText, connectionsText } from '../../../src/commands/provision/handover-text.ts';
import { parseAddressStatus } from '../../../src/site/address-status.ts';

test('connections are counted in a sentence', (t) => {
  t.deepEqual(
    [0, 1, 2].map((count) => connectionsText(count)),
    ['no connection is open', '1 connection is open', '2 connections are open'],
  );
});

test('who holds what is a line for each balancer, with the packets that it passes on', (t) => {
  const leaving = parseAddressStatus('lb1', 'address 10.0.0.100 free\nyields\nconnections 2\n');
  const holder = parseAddressStatus(
    'lb2',
    'address 10.0.0.100 held\npasses 10.0.0.100 lb1 57\nstays\nconnections 0\n',
  );
  t.is(
    addressesText([leaving, holder]),
    `lb1: holds nothing, 2 connections are open; gives addresses away until \`--stay\` or a reboot
lb2: holds 10.0.0.100, no connection is open
    packets of older connections to 10.0.0.100 go to lb1 for 57 s
`,
  );
});
