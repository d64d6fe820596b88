import { readFileSync } from 'node:fs';

import test from 'ava';

import { planFinish } from '../../../src/failover/plan/finish.ts';
import { planRejoin, type RejoinWish } from '../../../src/failover/plan/rejoin.ts';
import { planRelocate, type RelocateWish } from '../../../src/failover/plan/relocate.ts';
import { planRepair } from '../../../src/failover/problems/repair.ts';
import { PROBLEMS, problems } from '../../../src/failover/problems/problems.ts';
import type { Planned } from '../../../src/failover/plan/refusals.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import { planText } from '../support/plan-text.ts';
import { describe, SETTINGS, type Described } from '../support/topology.ts';

interface Case extends Described {
  readonly name: string;
  readonly do: 'rejoin' | 'relocate' | 'repair' | 'finish';
  readonly wish?: RejoinWish | RelocateWish;
  readonly problem?: string;
  readonly plan?: readonly string[];
  readonly refused?: readonly string[];
  /** What the first refusal says to do. */
  readonly remedy?: string;
  readonly kind?: string;
  readonly to?: string;
  readonly again?: boolean;
  readonly nothing?: boolean;
}

const CASES = JSON.parse(
  readFileSync(new URL('cases/other-plans.json', import.meta.url), 'utf8'),
) as readonly Case[];

for (const one of CASES) {
  test(one.name, (t) => {
    const planned = plan(one, describe(one));
    if (planned === undefined) {
      t.true(one.nothing ?? false);
      return;
    }
    t.is((planned as { again?: boolean }).again ?? false, one.again ?? false);
    if ('refusals' in planned) {
      t.deepEqual(
        planned.refusals.map((refusal) => refusal.code),
        one.refused ?? [],
      );
      if (one.remedy !== undefined) t.is(planned.refusals[0]?.remedy, one.remedy);
      for (const { message, remedy } of planned.refusals) {
        t.notRegex(`${message} ${remedy}`, /undefined|\[object|NaN/);
      }
      return;
    }
    t.deepEqual(one.refused ?? [], []);
    if (one.plan) t.deepEqual(planText(planned.plan), one.plan);
    if (one.kind !== undefined) t.is(planned.plan.kind, one.kind as typeof planned.plan.kind);
    if (one.to !== undefined) t.is(planned.plan.to, one.to);
    t.notRegex(planned.plan.notes.join(' '), /undefined|\[object|NaN/);
  });
}

test('around a primary that takes writes nothing is taken back: a replica may have acknowledged some by then', (t) => {
  const memory = {
    primary: 'db1',
    unfinished: { id: 'x', kind: 'switchover', from: 'db1', to: 'db2' },
  } as const;
  const planned = planFinish(
    describe({ memory, instances: ['db1 1:1-100', 'db2 primary 1:1-100', 'db3 <db1x 1:1-100'] }),
    SETTINGS,
  );
  if (planned === undefined || !('plan' in planned)) {
    t.fail();
    return;
  }
  const steps = planned.plan.stages.flat();
  t.true(steps.some(({ action }) => action.do === 'follow'));
  t.deepEqual(
    steps.filter(({ undo }) => undo !== undefined),
    [],
  );
});

test('every recovery that the table names has a case', (t) => {
  const recoveries = new Set(
    PROBLEMS.map((row) => row.recovery).filter((recovery) => recovery !== undefined),
  );
  const tried = new Set(
    CASES.filter((one) => one.do === 'repair').map(
      (one) => PROBLEMS.find((row) => row.code === one.problem)?.recovery,
    ),
  );
  t.deepEqual(
    [...recoveries].filter((recovery) => !tried.has(recovery)),
    [],
  );
});

function plan(one: Case, topology: Topology): Planned | undefined {
  switch (one.do) {
    case 'rejoin':
      return planRejoin(topology, one.wish as RejoinWish, SETTINGS);
    case 'relocate':
      return planRelocate(topology, one.wish as RelocateWish, SETTINGS);
    case 'finish':
      return planFinish(topology, SETTINGS);
    case 'repair': {
      const problem = problems(topology, SETTINGS).find(({ code }) => code === one.problem);
      if (problem === undefined) throw new Error(`${one.name}: there is no ${one.problem}`);
      return planRepair(topology, problem, SETTINGS);
    }
  }
}
