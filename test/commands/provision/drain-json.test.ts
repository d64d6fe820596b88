import test from 'ava';

import {
  drainJson,
  drainSchema,
  drainStatusSchema,
  undrainJson,
  undrainSchema,
} from '../../../src/commands/provision/drain-json.ts';
import { drainStatusJson, drainStatusText } from '../../../src/commands/provision/drain-text.ts';
import { fakeBalancer } from '../../site/support.ts';

const ANN = { by: 'ann', since: 1, reason: 'new disk' };
const DOWNTIMES = [
  { host: 'web2', instance: 'db2', by: 'ann', reason: 'new disk' },
  { host: 'web3', instance: 'db3', by: 'ann', reason: 'new disk' },
];

test('what drain, undrain and the status print is what their schemas say', async (t) => {
  const left = [{ balancer: 'lb1', part: 'requests' as const, current: 2 }];
  for (const before of [undefined, ANN]) {
    const drained = JSON.parse(JSON.stringify(drainJson('web2', { requests: left, reads: [], before }, 1.5)));
    t.like(drainSchema.parse(drained), { host: 'web2', drained: false, requests: left });
    t.is(drainSchema.parse(drained).before?.by, before?.by);
    t.is(
      undrainSchema.parse(JSON.parse(JSON.stringify(undrainJson('web2', before)))).drained?.by,
      before?.by,
    );
  }
  t.true(drainJson('web2', { requests: [], reads: left, before: undefined }, 1).drained);
  const balancer = fakeBalancer('lb1');
  await balancer.takeOut('web2', ANN);
  const status = drainStatusSchema.parse(
    JSON.parse(JSON.stringify(drainStatusJson([await balancer.pool()], DOWNTIMES))),
  );
  t.deepEqual(
    status.servers.map(({ name, drained, balancers }) => [name, drained?.by, balancers[0]?.isOut]),
    [
      ['web1', undefined, false],
      ['web2', 'ann', true],
      ['web3', undefined, false],
    ],
  );
  t.deepEqual(
    status.cutOff.map(({ host }) => host),
    ['web3'],
    'web2 is out, and its instance is left alone for that',
  );
});

test('a drain that was cut off is named with what ends it', async (t) => {
  const balancer = fakeBalancer('lb1');
  const text = drainStatusText([await balancer.pool()], DOWNTIMES.slice(1), 0);
  t.is(
    text,
    'all servers are in service\nweb3: a drain by ann was cut off (new disk), and the watch leaves db3 alone since: `provision undrain web3` ends that\n',
  );
});
