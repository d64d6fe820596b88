import test from 'ava';

import { packed, unpacked } from '../../../src/failover/coordination/packed.ts';

/** A set of GTIDs with so many gaps. */
const gaps = (count: number): string =>
  Array.from({ length: count }, (_, index) => `${7 * index + (index % 3)}-${7 * index + 4}`).join(':');

test('what is small is stored as it is, and what is large fits into a request of etcd', (t) => {
  const small = JSON.stringify({ gtids: gaps(100) });
  t.is(packed(small), small);
  const large = JSON.stringify({ began: gaps(60_000), lastSeen: gaps(60_000), gtids: gaps(60_000) });
  t.true(Buffer.byteLength(large) > 2_000_000);
  t.true(Buffer.byteLength(packed(large)) < 1_000_000);
  t.is(unpacked(packed(large)), large);
  t.is(unpacked(small), small);
});

test('a packed value is of a newer release to those that cannot read it', (t) => {
  const { version } = JSON.parse(packed(JSON.stringify({ gtids: gaps(60_000) }))) as { version: number };
  t.is(version, 2);
  const broken = '{"version":2,"brotli":"x"}';
  t.is(unpacked(broken), broken);
});
