import test from 'ava';

import {
  handoverJson,
  handoverSchema,
  handoverStatusJson,
  handoverStatusSchema,
} from '../../../src/commands/provision/handover-json.ts';
import { parseAddressStatus } from '../../../src/site/address-status.ts';

test('what became of a hand-over is as the schema says', (t) => {
  const json = handoverJson('lb1', 'lb2', { moved: ['10.0.0.100'], left: 2, ms: 812.4 });
  t.deepEqual(handoverSchema.parse(json), json);
  t.is(json.ms, 812);
});

test('who holds what is as the schema says', (t) => {
  const status = parseAddressStatus(
    'lb2',
    [
      'address 10.0.0.100 held',
      'address 10.0.0.101 free',
      'passes 10.0.0.100 10.0.0.11 42',
      'yields',
      'connections 3',
      'open ESTAB 10.0.0.100:443 10.0.0.200:5012',
    ].join('\n'),
  );
  const json = handoverStatusJson([status]);
  t.deepEqual(handoverStatusSchema.parse(json), json);
  t.deepEqual(json.balancers[0]?.addresses[0], {
    address: '10.0.0.100',
    held: true,
    passes: [{ peer: '10.0.0.11', seconds: 42 }],
  });
});
