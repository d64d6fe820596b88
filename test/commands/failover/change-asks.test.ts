import test from 'ava';

import { asks } from '../../../src/commands/failover/change-asks.ts';
import { closes } from '../../../src/failover/plan/close.ts';
import { planOf } from '../../failover/support/fake-ports.ts';

const CLOSING = planOf([{ action: { do: 'make-read-only', instance: 'db4' } }]);
const HARMLESS = planOf([{ action: { do: 'follow', instance: 'db4', source: 'db1', demoted: false } }]);

test('what the plan does decides whether a person is asked', (t) => {
  const options = { yes: false, dryRun: false, harmless: (plan: typeof CLOSING) => !closes(plan) };
  t.true(asks(options, CLOSING));
  t.false(asks(options, HARMLESS));
  t.true(asks(options), 'as long as there is no plan, somebody may be asked');
  for (const typed of [{ yes: true }, { dryRun: true }]) t.false(asks({ ...options, ...typed }, CLOSING));
});

test('what is harmless or not in any case needs no plan', (t) => {
  const options = { yes: false, dryRun: false };
  t.true(asks(options));
  t.true(asks({ ...options, harmless: false }, HARMLESS));
  t.false(asks({ ...options, harmless: true }, CLOSING));
});
