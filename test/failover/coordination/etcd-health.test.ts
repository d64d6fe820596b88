import test from 'ava';

import { etcdHealth } from '../../../src/failover/coordination/etcd-health.ts';
import { poll } from '../../../src/lib/async.ts';
import { direct, etcdMember, etcdTrio } from './etcd-member.ts';

const LIMITS = { dial: direct, ca: undefined, timeoutMs: 2000 };

test('each member says whether it works with a majority, over TLS and without an account, too', async (t) => {
  const member = await etcdMember({ tls: true });
  t.teardown(async () => await member.remove());
  t.deepEqual(
    await etcdHealth([member.endpoint], { ...LIMITS, ca: member.ca }),
    new Map([[member.endpoint, undefined]]),
  );
  const [[, trouble = ''] = []] = await etcdHealth([member.endpoint], LIMITS);
  t.not(trouble, '', 'it does not speak without TLS');
});

test('of three, one that is gone and one that hangs are told, and the last has no majority', async (t) => {
  const trio = await etcdTrio();
  t.teardown(async () => await Promise.all(trio.map(async (one) => await one.remove())));
  const endpoints = trio.map(({ endpoint }) => endpoint);
  const ask = async (): Promise<readonly (string | undefined)[]> => [
    ...(await etcdHealth(endpoints, LIMITS)).values(),
  ];
  t.deepEqual(await ask(), [undefined, undefined, undefined]);
  await trio[0]?.stop();
  await trio[1]?.signal('SIGSTOP');
  const seen = await poll(
    async () => {
      const [gone, hanging, last] = await ask();
      return last === undefined ? undefined : { gone, hanging, last };
    },
    { everyMs: 200, withinMs: 30_000 },
  );
  t.regex(seen?.gone ?? '', /ECONNREFUSED/);
  t.is(seen?.hanging, 'silent for 2000 ms');
  t.regex(seen?.last ?? '', /503|silent/);
  await trio[1]?.signal('SIGCONT');
});
