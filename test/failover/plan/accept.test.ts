import { readFileSync } from 'node:fs';

import test from 'ava';

import { acceptable } from '../../../src/failover/plan/accept.ts';
import { planPromote, type PromoteWish } from '../../../src/failover/plan/promote.ts';
import { REFUSALS } from '../../../src/failover/plan/refusal-codes.ts';
import { PROMOTE_RISKS, REJOIN_RISKS, riskName, riskNamed, RISKS } from '../../../src/failover/plan/risks.ts';
import { describe, SETTINGS, type Described } from '../support/topology.ts';

interface Case extends Described {
  readonly name: string;
  readonly wish: PromoteWish;
}

const CASES = JSON.parse(
  readFileSync(new URL('cases/promote.json', import.meta.url), 'utf8'),
) as readonly Case[];

const STALLED = ['db1 primary commit=60 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1 1:1-100'];

test('every risk is a refusal, with a name of its own that leads back to it', (t) => {
  const risks = [...PROMOTE_RISKS, ...REJOIN_RISKS];
  t.deepEqual([...risks].sort(), Object.keys(RISKS).sort());
  for (const code of risks) {
    t.true(code in REFUSALS);
    t.regex(riskName(code), /^[a-z]+(-[a-z]+)*$/);
    t.is(riskNamed(riskName(code)), code);
  }
  t.is(riskNamed('TooFewAckers'), undefined);
});

test('what cannot be accepted stands, whatever is accepted; what can be leads to a plan', (t) => {
  for (const one of CASES) {
    const topology = describe(one);
    const planWith = (accepts: PromoteWish['accepts']): ReturnType<typeof planPromote> =>
      planPromote(topology, { ...one.wish, accepts }, SETTINGS);
    const { needed, planned } = acceptable(planWith);
    const all = planWith(PROMOTE_RISKS);
    if ('plan' in planned) t.true('plan' in all, one.name);
    else t.true('refusals' in all && all.refusals.some(({ risk }) => risk === undefined), one.name);
    // Whoever ends sessions accepts what is refused because of them.
    if ('refusals' in planned || one.wish.endSessions) continue;
    const risks = needed.map(({ risk }) => risk);
    t.deepEqual([...(planned.plan.accepted ?? [])].sort(), [...risks].sort(), one.name);
    // Nothing is accepted that was not named.
    for (const left of risks) {
      const without = planWith(risks.filter((risk) => risk !== left));
      t.true('refusals' in without, `${one.name}: without ${left}`);
    }
  }
});

test('of what stands in the way of a stalled primary only its giving up has to be accepted', (t) => {
  const topology = describe({ instances: STALLED });
  const { needed, planned } = acceptable((accepts) => planPromote(topology, { accepts }, SETTINGS));
  t.deepEqual(
    needed.map(({ risk }) => risk),
    ['PrimaryStalled'],
  );
  t.like(planned, { plan: { kind: 'failover', accepted: ['PrimaryStalled'] } });
});

test('the rest of a failover is bound to what was named before it began', (t) => {
  const topology = describe({ instances: STALLED });
  const planned = planPromote(topology, { accepts: ['PrimaryStalled', 'Asynchronous'] }, SETTINGS);
  t.like(planned, {
    plan: { accepted: ['PrimaryStalled'], lookAgain: { accepts: ['PrimaryStalled', 'Asynchronous'] } },
  });
});
