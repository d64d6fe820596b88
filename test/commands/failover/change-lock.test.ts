import test from 'ava';

import { copyOf, underCopyLock } from '../../../src/commands/failover/change-lock.ts';
import type { Session } from '../../../src/commands/failover/session.ts';
import { planRejoin } from '../../../src/failover/plan/rejoin.ts';
import { UserError } from '../../../src/lib/errors.ts';
import { fakeCluster } from '../../failover/support/fake-ports.ts';
import { describe, SETTINGS } from '../../failover/support/topology.ts';

/** A session with a lock of its own that one at a time has. */
function sessionOf() {
  const fake = fakeCluster();
  let holder: string | undefined;
  const coordination = {
    ...fake.ports.coordination,
    acquire: async ({ purpose }: { readonly purpose: string }) => {
      if (holder !== undefined) throw new UserError(`held: ${holder}`);
      holder = purpose;
      return { ...fake.lease, release: async () => void (holder = undefined) };
    },
    memory: async () => fake.memory(),
  };
  const session = { cluster: fake.cluster, ports: { ...fake.ports, coordination } } as unknown as Session;
  return { session, fake, coordination, holder: () => holder };
}

test('while data are copied the lock of the cluster is free, and the instance is out of service', async (t) => {
  const { session, fake, coordination, holder } = sessionOf();
  const held = { lease: await coordination.acquire({ purpose: 'rejoin db3' }) };
  const options = { purpose: 'rejoin db3', signal: new AbortController().signal, before: undefined };
  const result = await underCopyLock(session, 'db3', held, options, async (lease) => {
    await lease.confirm();
    t.is(holder(), undefined);
    t.deepEqual(Object.keys(fake.memory().copies ?? {}), ['db3']);
    const failover = await coordination.acquire({ purpose: 'failover' });
    setTimeout(() => void failover.release(), 20);
    return 'copied';
  });
  t.is(result, 'copied');
  t.is(holder(), 'rejoin db3', 'what follows is done under the lock of the cluster');
  t.deepEqual(fake.memory().copies, {});
});

test('a copy that fails gives back the lock of its instance', async (t) => {
  const { session, fake, coordination } = sessionOf();
  const held = { lease: await coordination.acquire({ purpose: 'rejoin db3' }) };
  const options = { purpose: 'rejoin db3', signal: new AbortController().signal, before: undefined };
  await t.throwsAsync(
    underCopyLock(session, 'db3', held, options, () => Promise.reject(new Error('broken'))),
  );
  t.deepEqual(fake.memory().copies, {});
});

test('the copy is cut out of a rejoin, unless the primary commits alone for it', (t) => {
  const wish = { instance: 'db3', clone: true };
  const three = describe({ instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 1:1-90'] });
  const planned = planRejoin(three, wish, SETTINGS);
  if (!('plan' in planned)) throw new Error('it can be copied');
  t.deepEqual(
    copyOf(planned.plan, three)
      ?.stages.flat()
      .map(({ action }) => action.do),
    ['end-clients', 'clone'],
  );
  const alone = describe({ instances: ['db1 primary 1:1-100', 'db2 dead', 'db3 1:1-90'] });
  const forced = planRejoin(alone, { ...wish, accepts: ['CommitsWait'] }, SETTINGS);
  if (!('plan' in forced)) throw new Error('it can be forced');
  t.is(copyOf(forced.plan, alone), undefined);
});

test('beside a watch of an older release the lock of the cluster is held while data are copied', (t) => {
  const three = describe({ instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 1:1-90'] });
  const planned = planRejoin(three, { instance: 'db3', clone: true }, SETTINGS);
  if (!('plan' in planned)) throw new Error('it can be copied');
  const besides = (understands: Record<string, number>, seen = three.at): boolean =>
    copyOf(planned.plan, {
      at: three.at,
      memory: { ...three.memory, watchers: { 'watch@lb1': seen, 'watch@lb2': three.at }, understands },
    }) !== undefined;
  t.true(besides({ 'watch@lb1': 1, 'watch@lb2': 1 }));
  t.false(besides({ 'watch@lb2': 1 }));
  t.true(besides({ 'watch@lb2': 1 }, three.at - 60_000), 'the older one is gone');
});
