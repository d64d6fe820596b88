import test from 'ava';

import { UserError } from '../../src/lib/errors.ts';
import { drain, type DrainOptions, type Left, undrain } from '../../src/site/drain.ts';
import { fakeBalancer } from './support.ts';

const ANN = { by: 'ann@desk', since: 1000, reason: 'new disk' };
const BOB = { by: 'bob@desk', since: 2000, reason: 'kernel' };

function options(more: Partial<DrainOptions> = {}): DrainOptions {
  return {
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    evenTheLast: false,
    progress: () => {},
    ...more,
  };
}

test('a server is taken out on all balancers, and its requests are waited for', async (t) => {
  const balancers = [fakeBalancer('lb1'), fakeBalancer('lb2')];
  const web2 = balancers[1]?.servers.get('web2');
  if (web2) Object.assign(web2, { requests: 2, reads: 5 });
  if (balancers[1])
    balancers[1].onPool = () => web2 && web2.requests > 0 && balancers[1]?.out.has('web2') && web2.requests--;
  const told: (readonly Left[])[] = [];
  const outcome = await drain(balancers, 'web2', ANN, options({ progress: (left) => told.push(left) }));
  t.deepEqual(outcome.requests, []);
  t.deepEqual(
    outcome.reads,
    [{ balancer: 'lb2', part: 'reads', current: 5 }],
    'sessions that may live for ever are told, and not waited for',
  );
  t.deepEqual(
    balancers.map(({ out }) => [...out]),
    [[['web2', ANN]], [['web2', ANN]]],
  );
  t.deepEqual(
    told.map((left) => left.find(({ part }) => part === 'requests')?.current),
    [1, undefined],
  );
});

test('what runs still when the time is over is said, and the server stays out', async (t) => {
  const balancer = fakeBalancer('lb1');
  Object.assign(balancer.servers.get('web2') ?? {}, { requests: 1 });
  const outcome = await drain([balancer], 'web2', ANN, options({ timeoutMs: 1 }));
  t.deepEqual(outcome.requests, [{ balancer: 'lb1', part: 'requests', current: 1 }]);
  t.true(balancer.out.has('web2'));
});

test('when one balancer fails, the other gets the server back', async (t) => {
  const [lb1, lb2] = [fakeBalancer('lb1'), fakeBalancer('lb2')];
  lb2.fail = 'HAProxy does not answer';
  await t.throwsAsync(drain([lb1, lb2], 'web2', ANN, options()), { message: /lb2: HAProxy does not answer/ });
  t.deepEqual([lb1.out.size, lb2.out.size], [0, 0]);
});

test('an interruption puts the server back, but not one that was out before', async (t) => {
  const [lb1, lb2] = [fakeBalancer('lb1'), fakeBalancer('lb2')];
  lb1.out.set('web2', BOB);
  Object.assign(lb2.servers.get('web2') ?? {}, { requests: 1 });
  const controller = new AbortController();
  lb2.onPool = () => lb2.out.has('web2') && controller.abort();
  await t.throwsAsync(drain([lb1, lb2], 'web2', ANN, options({ signal: controller.signal })), {
    name: 'AbortError',
  });
  t.deepEqual([...lb1.out], [['web2', BOB]]);
  t.is(lb2.out.size, 0);
});

test('who took a server out first stays the one who did', async (t) => {
  const [lb1, lb2] = [fakeBalancer('lb1'), fakeBalancer('lb2')];
  lb1.out.set('web2', BOB);
  const outcome = await drain([lb1, lb2], 'web2', ANN, options());
  t.deepEqual(outcome.before, BOB);
  t.deepEqual([lb1.out.get('web2'), lb2.out.get('web2')], [BOB, BOB]);
});

test('a balancer that was reloaded in the same moment is told again', async (t) => {
  const balancer = fakeBalancer('lb1');
  let looks = 0;
  balancer.onPool = () => ++looks === 2 && balancer.out.clear();
  await drain([balancer], 'web2', ANN, options());
  t.deepEqual(balancer.said, ['out web2', 'out web2']);
  t.true(balancer.out.has('web2'));
});

test('the last healthy server stays in service, unless that is wanted', async (t) => {
  const balancer = fakeBalancer('lb1');
  balancer.out.set('web1', BOB);
  Object.assign(balancer.servers.get('web3') ?? {}, { passes: false });
  const error = await t.throwsAsync(drain([balancer], 'web2', ANN, options()), { instanceOf: UserError });
  t.regex(error?.message ?? '', /without web2 nobody serves behind lb1/);
  t.deepEqual(balancer.said, []);
  await drain([balancer], 'web2', ANN, options({ evenTheLast: true }));
  t.true(balancer.out.has('web2'));
});

test('a name that no balancer knows is an error with the nearest one', async (t) => {
  const error = await t.throwsAsync(drain([fakeBalancer('lb1')], 'wbe2', ANN, options()), {
    instanceOf: UserError,
  });
  t.is(error?.problems[0]?.hint, 'did you mean "web2"?');
});

test('a server is put back when the check of every balancer finds it healthy', async (t) => {
  const [lb1, lb2] = [fakeBalancer('lb1'), fakeBalancer('lb2')];
  for (const { out } of [lb1, lb2]) out.set('web2', ANN);
  Object.assign(lb2.servers.get('web2') ?? {}, { passes: false });
  let looks = 0;
  lb2.onPool = () => ++looks === 3 && Object.assign(lb2.servers.get('web2') ?? {}, { passes: true });
  const how = { timeoutMs: 10_000, signal: new AbortController().signal, unchecked: false };
  t.deepEqual(await undrain([lb1, lb2], 'web2', how), ANN);
  t.deepEqual([lb1.out.size, lb2.out.size, looks >= 3], [0, 0, true]);
});

test('a server that is not healthy in time stays out on all balancers, and force puts it back', async (t) => {
  const [lb1, lb2] = [fakeBalancer('lb1'), fakeBalancer('lb2')];
  for (const { out } of [lb1, lb2]) out.set('web2', ANN);
  Object.assign(lb2.servers.get('web2') ?? {}, { passes: false });
  const how = { timeoutMs: 1, signal: new AbortController().signal, unchecked: false };
  await t.throwsAsync(undrain([lb1, lb2], 'web2', how), { message: /lb2 does not find web2 healthy: L4CON/ });
  t.deepEqual([lb1.out.size, lb2.out.size], [1, 1]);
  await undrain([lb1, lb2], 'web2', { ...how, unchecked: true });
  t.deepEqual([lb1.out.size, lb2.out.size], [0, 0]);
});
