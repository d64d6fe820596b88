import test from 'ava';

import { planPromote, type PromoteWish } from '../../../src/failover/plan/promote.ts';
import { planRejoin } from '../../../src/failover/plan/rejoin.ts';
import type { Plan } from '../../../src/failover/plan/action.ts';
import { stepText } from '../support/plan-text.ts';
import { describe, SETTINGS } from '../support/topology.ts';

const WITH_SQL = {
  ...SETTINGS,
  promotionSql: ['SET GLOBAL sync_binlog = 1', 'CALL app.promoted()'],
  demotionSql: ['SET GLOBAL sync_binlog = 0'],
};
const TWO = ['db1 primary 1:1-100', 'db2 <db1 1:1-100'];

function planFor(instances: readonly string[], wish: PromoteWish): Plan {
  const planned = planPromote(describe({ instances }), wish, WITH_SQL);
  if ('refusals' in planned) throw new Error(planned.refusals.map(({ message }) => message).join());
  return planned.plan;
}

/** The steps with SQL, and those around them that matter. */
function order(plan: Plan): readonly string[] {
  return plan.stages
    .flat()
    .filter(({ action }) => ['run-sql', 'make-writable', 'point-writers', 'prove'].includes(action.do))
    .map(stepText);
}

test('the operators’ SQL runs on the new primary when it is open, and on the old one when it is demoted', (t) => {
  const plan = planFor(TWO, { to: 'db2' });
  t.deepEqual(order(plan), [
    '!make-writable db2',
    'point-writers db2',
    '~run-sql db1 SET GLOBAL sync_binlog = 0',
    'run-sql db2 SET GLOBAL sync_binlog = 1',
    'run-sql db2 CALL app.promoted()',
    'prove db2 on db1',
  ]);
  for (const step of plan.stages.flat().filter(({ action }) => action.do === 'run-sql'))
    t.true(step.optional, 'one that fails is reported, and undoes nothing');
});

test('an old primary that follows nobody afterwards gets its SQL, too', (t) => {
  const plan = planFor(TWO, { to: 'db2', rejoin: false });
  t.true(order(plan).includes('~run-sql db1 SET GLOBAL sync_binlog = 0'));
});

test('a dead primary gets its SQL when it comes back', (t) => {
  const failover = planFor(['db1 dead', 'db2 <db1~ 1:1-100', 'db3 <db1~ 1:1-100'], { to: 'db2' });
  t.false(order(failover).some((text) => text.includes('run-sql db1')));
  const back = describe({ instances: ['db1 1:1-100', 'db2 primary 1:1-100', 'db3 <db2 1:1-100'] });
  const planned = planRejoin(back, { instance: 'db1' }, WITH_SQL);
  t.true('plan' in planned && order(planned.plan).includes('run-sql db1 SET GLOBAL sync_binlog = 0'));
});

test('a replica that is brought back was not demoted', (t) => {
  const instances = ['db1 <db2x 1:1-100', 'db2 primary 1:1-100', 'db3 <db2 1:1-100'];
  const planned = planRejoin(describe({ instances }), { instance: 'db1' }, WITH_SQL);
  t.true('plan' in planned && !order(planned.plan).some((text) => text.includes('run-sql')));
});
