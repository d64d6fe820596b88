import test from 'ava';

import { planPromote, type PromoteWish } from '../../../src/failover/plan/promote.ts';
import { describe, SETTINGS } from '../support/topology.ts';

const LIMITED = { ...SETTINGS, maxPromotionLagSeconds: 60 };
const LATE = 'db2 <db1~ lag=61 1:1-50 +1:51-100';
const LESS = 'db3 <db1~ lag=59 1:1-50 +1:51-100';
const WITHOUT_BACKLOG = 'db3 <db1~ lag=61 1:1-100';

const codes = (instances: readonly string[], wish: PromoteWish, settings = LIMITED): readonly string[] => {
  const planned = planPromote(describe({ instances }), wish, settings);
  return 'plan' in planned
    ? [`promotes ${planned.plan.to}`]
    : planned.refusals.map(({ code, risk }) => `${code}${risk === undefined ? '!' : ''}`);
};

test('an instance whose applier lags more than the limit replaces no dead primary by itself', (t) => {
  t.deepEqual(codes(['db1 dead', LATE, LATE.replace('db2', 'db3')], { automatic: true }), [
    'LaggingCandidate',
  ]);
});

test('another one that lags less is promoted instead', (t) => {
  t.deepEqual(codes(['db1 dead', LATE, LESS], { automatic: true }), ['promotes db3']);
});

test('one that has applied everything does not lag, whatever its server says', (t) => {
  t.deepEqual(codes(['db1 dead', LATE, WITHOUT_BACKLOG], { automatic: true }), ['promotes db3']);
});

test('a person is told, and may accept it by name', (t) => {
  const instances = ['db1 dead', LATE, LATE.replace('db2', 'db3')];
  t.deepEqual(codes(instances, { to: 'db2' }), ['LaggingCandidate']);
  t.deepEqual(codes(instances, { to: 'db2', accepts: ['LaggingCandidate'] }), ['promotes db2']);
});

test('without the setting a candidate may lag as much as it does', (t) => {
  t.deepEqual(codes(['db1 dead', LATE, LATE.replace('db2', 'db3')], { automatic: true }, SETTINGS), [
    'promotes db2',
  ]);
});
