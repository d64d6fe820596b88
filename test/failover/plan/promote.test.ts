import { readFileSync } from 'node:fs';

import test from 'ava';

import { candidates } from '../../../src/failover/plan/candidates.ts';
import { planPromote, type PromoteWish } from '../../../src/failover/plan/promote.ts';
import { actionText, planText } from '../support/plan-text.ts';
import { describe, SETTINGS, type Described } from '../support/topology.ts';

interface Case extends Described {
  readonly name: string;
  readonly wish: PromoteWish;
  /** The best first; `!` has a limitation. */
  readonly candidates?: readonly string[];
  readonly refused?: readonly string[];
  readonly details?: readonly string[];
  readonly plan?: readonly string[];
  readonly notes?: readonly string[];
  readonly undo?: readonly string[];
  readonly to?: string;
  readonly kind?: string;
  readonly lost?: number;
}

const CASES = JSON.parse(
  readFileSync(new URL('cases/promote.json', import.meta.url), 'utf8'),
) as readonly Case[];

for (const one of CASES) {
  test(one.name, (t) => {
    const topology = describe(one);
    if (one.candidates) {
      t.deepEqual(
        candidates(topology, SETTINGS).map(
          ({ name, limitation }) => `${name}${limitation === undefined ? '' : '!'}`,
        ),
        one.candidates,
      );
    }
    const planned = planPromote(topology, one.wish, SETTINGS);
    if ('refusals' in planned) {
      t.deepEqual(
        planned.refusals.map((refusal) => refusal.code),
        one.refused ?? [],
      );
      for (const { message, remedy } of planned.refusals)
        t.notRegex(`${message} ${remedy}`, /undefined|\[object|NaN/);
      const details = planned.refusals.flatMap((refusal) => refusal.details);
      for (const detail of one.details ?? [])
        t.true(
          details.some((text) => text.startsWith(detail)),
          details.join('\n'),
        );
      return;
    }
    const { plan } = planned;
    t.deepEqual(one.refused ?? [], []);
    if (one.plan) t.deepEqual(planText(plan), one.plan);
    if (one.to !== undefined) t.is(plan.to, one.to);
    if (one.kind !== undefined) t.is(plan.kind, one.kind as typeof plan.kind);
    if (one.lost !== undefined) t.is(plan.lostCount, one.lost);
    for (const note of one.notes ?? [])
      t.true(
        plan.notes.some((text) => text.includes(note)),
        plan.notes.join('\n'),
      );
    const steps = plan.stages.flat();
    const undos = steps
      .filter((step) => step.undo)
      .map((step) => `${actionText(step.action)}: ${(step.undo ?? []).map(actionText).join(', ')}`);
    for (const undo of one.undo ?? []) t.true(undos.includes(undo), undos.join('\n'));
    const names = steps.map(
      (step) => `${step.name} ${'instance' in step.action ? step.action.instance : ''}`,
    );
    t.is(new Set(names).size, names.length, 'a step has a name of its own');
    t.notRegex(plan.notes.join(' '), /undefined|\[object|NaN/);
  });
}

test('a receiver of a primary which is gone is stopped together with its connection, whether or not it has noticed', (t) => {
  const planned = planPromote(
    describe({
      instances: ['db1 dead', 'db2 <db1~ 1:1-100', 'db3 <db1x 1:1-100', 'db4 <db1 silent=3000 1:1-100'],
    }),
    {},
    SETTINGS,
  );
  if ('refusals' in planned) throw new Error('it is planned');
  const stops = planned.plan.stages
    .flat()
    .flatMap(({ action }) => (action.do === 'stop-receiver' ? [action] : []));
  t.deepEqual(stops, [
    { do: 'stop-receiver', instance: 'db2', seeks: 'db1' },
    { do: 'stop-receiver', instance: 'db3' },
    { do: 'stop-receiver', instance: 'db4', seeks: 'db1' },
  ]);
});

test('every condition that refuses a promotion has a case', (t) => {
  const codes = new Set(CASES.flatMap((one) => one.refused ?? []));
  for (const file of ['objections', 'promote', 'sessions', 'settle']) {
    const text = readFileSync(new URL(`../../../src/failover/plan/${file}.ts`, import.meta.url), 'utf8');
    const named = [...text.matchAll(/(?:refusal|object)\(\s*(?:[^,()]*\? )?'([A-Z]\w+)'/g)].map(
      ([, code]) => code ?? '',
    );
    t.true(named.length > 0);
    t.deepEqual(
      named.filter((code) => !codes.has(code)),
      [],
    );
  }
});
