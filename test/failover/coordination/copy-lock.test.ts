import test from 'ava';

import { copierOf, heldOfPrimary, withoutCopied } from '../../../src/failover/cluster/copies.ts';
import type { Memory } from '../../../src/failover/cluster/memory.ts';
import { isWanted } from '../../../src/failover/cluster/wanted.ts';
import { lockForCopy } from '../../../src/failover/coordination/copy-lock.ts';
import { EMPTY_MEMORY } from '../../../src/failover/coordination/empty-memory.ts';
import { describe } from '../support/topology.ts';

function store(memory: Memory = EMPTY_MEMORY) {
  const held = { memory };
  return {
    held,
    remember: async (change: (memory: Memory) => Memory) => void (held.memory = change(held.memory)),
    memory: async () => held.memory,
  };
}

const ANN = { instance: 'db9', who: 'ann@desk', cluster: 'servers', epoch: 7 };

test('of two who would replace the data of one instance, one has its lock, and is named to the other', async (t) => {
  const one = store();
  const lease = await lockForCopy(one, ANN);
  await lease.confirm();
  t.is(lease.epoch, 7);
  t.is(copierOf(one.held.memory, 'db9', Date.now()), 'ann@desk');
  await t.throwsAsync(lockForCopy(one, { ...ANN, who: 'bob@desk' }), {
    message: /ann@desk is changing servers right now \(copies the data of db9\)/,
  });
  const other = await lockForCopy(one, { ...ANN, instance: 'db8' });
  await other.release();
  await lease.release();
  t.deepEqual(one.held.memory.copies, {});
  await (await lockForCopy(one, { ...ANN, who: 'bob@desk' })).release();
});

test('what an instance held of the primary before its data are replaced is remembered with the lock', async (t) => {
  const topology = describe({
    instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-90 +1:91-95 3:1-2', 'db3 dead'],
  });
  const held = heldOfPrimary(topology, 'db2');
  t.regex(held ?? '', /^00000000-0000-0000-0000-000000000001:1-95$/);
  t.is(heldOfPrimary(topology, 'db3'), undefined);
  const one = store();
  const lease = await lockForCopy(one, { ...ANN, held });
  t.is(one.held.memory.copies?.['db9']?.held, held);
  await lease.release();
});

test('a lock whose holder died ends by itself, and he who comes back has lost it', async (t) => {
  const one = store();
  const lease = await lockForCopy(one, ANN);
  const { db9: copy } = one.held.memory.copies ?? {};
  if (copy === undefined) throw new Error('it is held');
  one.held.memory = { ...one.held.memory, copies: { db9: { ...copy, until: Date.now() - 1 } } };
  const next = await lockForCopy(one, { ...ANN, who: 'bob@desk' });
  await t.throwsAsync(lease.confirm(), { message: /somebody else has the lock of db9/ });
  await lease.release();
  t.is(copierOf(one.held.memory, 'db9', Date.now()), 'bob@desk', 'nobody gives back what is not his');
  await next.release();
});

test('an instance whose data are being replaced is out of service, whatever it says', (t) => {
  const topology = describe({
    instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 writable 1:1-100'],
  });
  const copies = { db3: { by: 'ann@desk', token: 'x', until: 2000 } };
  const seen = withoutCopied(topology.instances, { ...EMPTY_MEMORY, copies }, 1000);
  t.deepEqual(
    seen.map(({ kind }) => kind),
    ['answering', 'answering', 'silent'],
  );
  t.deepEqual(withoutCopied(topology.instances, { ...EMPTY_MEMORY, copies }, 2000), topology.instances);
});

test('that a failover waits for the lock counts for a while, and for others', (t) => {
  const memory: Memory = { ...EMPTY_MEMORY, wanted: { by: 'watch@lb1', at: 50_000 } };
  t.true(isWanted(memory, 'ann@desk', 51_000));
  t.true(isWanted(memory, 'ann@desk', 49_000), 'clocks differ');
  t.false(isWanted(memory, 'watch@lb1', 51_000));
  t.false(isWanted(memory, 'ann@desk', 70_000));
  t.false(isWanted(EMPTY_MEMORY, 'ann@desk', 51_000));
});
