import test from 'ava';
import fc from 'fast-check';

import { canonicalIp, parseIpNetwork } from '../../src/lib/ip-network.ts';

const SAME: readonly (readonly string[])[] = [
  [
    '2001:db8::/64',
    '2001:0db8:0:0::/64',
    '2001:DB8:0:0:ffff::1/64',
    '2001:db8:0000:0000:0000:0000:0000:0000/64',
  ],
  ['2001:db8::1', '2001:db8:0::0:1/128'],
  ['::/0', '2001:db8::/0', '0:0:0:0:0:0:0:0/0'],
  ['::ffff:10.0.0.1', '::ffff:a00:1'],
  ['10.0.0.0/24', '10.0.0.7/24', '10.0.0.255/255.255.255.0'],
  ['10.0.0.7', '10.0.0.7/32', '10.0.0.7/255.255.255.255'],
  ['0.0.0.0/0', '10.0.0.0/0', '0.0.0.0/0.0.0.0'],
  ['Example.org', 'example.org'],
];

test('addresses and networks are the same however they are written, and no others are', (t) => {
  const seen = new Set<string>();
  for (const group of SAME) {
    const forms = new Set(group.map(canonicalIp));
    t.is(forms.size, 1, group.join(' '));
    for (const form of forms) {
      t.false(seen.has(form), group[0]);
      seen.add(form);
    }
  }
});

test('what is no address or network is left alone', (t) => {
  for (const text of [
    '',
    'any',
    '10.0.0',
    '10.0.0.1/33',
    '::1/129',
    '10.0.0.1/255.0.255.0',
    'fe80::1%eth0',
    '1.2.3.4/5/6',
  ]) {
    t.is(parseIpNetwork(text), undefined, text);
  }
});

test('an address is the same in full and in its short form', (t) => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      t.is(canonicalIp(address), canonicalIp(new URL(`http://[${address}]/`).hostname.slice(1, -1)));
    }),
  );
});
