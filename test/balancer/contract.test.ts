import test, { type ExecutionContext } from 'ava';

import { abilitiesOf, type Abilities } from '../../src/balancer/balancer.ts';
import { EXIT, UserError } from '../../src/lib/errors.ts';
import { SECRET, type World, WORLDS } from './support/worlds.ts';

/*
 * What every kind of balancer promises, told once and tried on each, with fakes on the far side. The real HAProxy,
 * keepalived, address and name server are in the lab's tests; no real ProxySQL was at hand.
 */

/** Nobody waits for as long unless a test says so. */
const TIMEOUT_MS = 30_000;

const PROMISES: Readonly<Record<string, (t: ExecutionContext, world: World) => Promise<void>>> = {
  'says who the writer is': async (t, { balancer }) => {
    t.deepEqual(await balancer.writers(), ['web1']);
  },
  'leads writers to the host that it is pointed at, and to no other': async (t, { balancer, leadsTo }) => {
    for (const host of ['web2', 'web3', 'web1']) {
      await balancer.pointWriters(host);
      t.deepEqual(leadsTo(), [host]);
      t.deepEqual(await balancer.writers(), [host]);
    }
  },
  'may be pointed twice': async (t, { balancer, leadsTo }) => {
    await balancer.pointWriters('web2');
    await balancer.pointWriters('web2');
    t.deepEqual(leadsTo(), ['web2']);
  },
  'can say beforehand that a host could become the writer, and changes nothing': async (
    t,
    { balancer, leadsTo },
  ) => {
    await balancer.expect('web2');
    t.deepEqual(leadsTo(), ['web1']);
  },
  'refuses a host that the cluster does not have, and changes nothing': async (t, { balancer, leadsTo }) => {
    for (const work of [balancer.expect, balancer.pointWriters, balancer.endWriters]) {
      if (work === undefined) continue;
      const error = await t.throwsAsync(work.call(balancer, 'web9'), { instanceOf: UserError });
      t.true(error.message.includes('web9'), error.message);
      t.true(error.message.startsWith(balancer.name), error.message);
    }
    t.deepEqual(leadsTo(), ['web1']);
  },
  'keeps writers from the old primary, if it can, and may be told twice': async (
    t,
    { balancer, leadsTo },
  ) => {
    if (balancer.endWriters === undefined) return void t.pass();
    await balancer.endWriters('web1');
    await balancer.endWriters('web1');
    t.deepEqual(leadsTo(), []);
    t.deepEqual(await balancer.writers(), []);
    await balancer.pointWriters('web1');
    t.deepEqual(leadsTo(), ['web1']);
  },
  'holds writers, if it can, and is not pointed elsewhere by that': async (t, { balancer, leadsTo }) => {
    await balancer.hold?.(5000);
    await balancer.release?.();
    t.is(balancer.hold === undefined, balancer.release === undefined);
    t.deepEqual(leadsTo(), ['web1']);
  },
  'names an address that is none of the cluster’s': async (t, { balancer, astray }) => {
    if (astray === undefined) return void t.pass();
    astray();
    const [writer = ''] = await balancer.writers();
    t.true(writer.startsWith('10.0.0.9'), writer);
    await balancer.pointWriters('web2');
    t.deepEqual(await balancer.writers(), ['web2']);
  },
};

for (const [kind, open] of Object.entries(WORLDS)) {
  for (const [promise, check] of Object.entries(PROMISES)) {
    test(`${kind} ${promise}`, async (t) => {
      const world = await open(TIMEOUT_MS);
      t.teardown(async () => {
        await world.balancer.close();
        world.close();
      });
      await check(t, world);
    });
  }
}

for (const [kind, open] of Object.entries(WORLDS)) {
  test(`${kind} rejects in time when nobody answers, and counts as out of reach`, async (t) => {
    const { balancer, silence, close } = await open(200);
    t.teardown(close);
    silence();
    for (const work of [
      () => balancer.writers(),
      () => balancer.expect('web2'),
      () => balancer.pointWriters('web2'),
      () => balancer.endWriters?.('web1'),
    ]) {
      const done = work();
      if (done === undefined) continue;
      const error = await t.throwsAsync<UserError>(done, { instanceOf: UserError });
      t.is(error?.exitCode, EXIT.unreachable, error?.message);
      t.false(error?.message.includes(SECRET), error?.message);
    }
  });
}

const ABILITIES: Readonly<Record<string, Abilities>> = {
  haproxy: { kind: 'haproxy', holds: true, ends: true, checks: true, staleSeconds: 0 },
  proxysql: { kind: 'proxysql', holds: false, ends: true, checks: false, staleSeconds: 0 },
  vip: { kind: 'vip', holds: false, ends: true, checks: false, staleSeconds: 0 },
  'vip of keepalived': { kind: 'vip', holds: false, ends: false, checks: true, staleSeconds: 0 },
  dns: { kind: 'dns', holds: false, ends: false, checks: false, staleSeconds: 5 },
};

for (const [kind, open] of Object.entries(WORLDS)) {
  test(`${kind} says what it cannot do`, async (t) => {
    const world = await open(TIMEOUT_MS);
    t.teardown(() => world.close());
    t.deepEqual(abilitiesOf(world.balancer), ABILITIES[kind]);
  });
}
