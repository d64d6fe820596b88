import test from 'ava';

import { planPromote } from '../../../src/failover/plan/promote.ts';
import { withPrimary } from '../../../src/failover/watch/presence.ts';
import { planText } from '../support/plan-text.ts';
import { describeRefusals, play, randomFrom, type Scenario } from '../support/play.ts';
import { runPlan } from '../support/run-plan.ts';
import { SETTINGS } from '../support/topology.ts';
import { World } from '../support/world.ts';

test('every prefix of a switchover and of a failover is finished or taken back', async (t) => {
  for (const flavour of ['mysql', 'mariadb'] as const) {
    for (const start of ['switchover', 'crash', 'partition'] as const) {
      for (let step = 0; step <= 40; step++) {
        for (const how of ['killed', 'failing'] as const) {
          const scenario: Scenario = {
            seed: step,
            flavour,
            count: 3,
            required: 1,
            start,
            at: step / 40,
            how,
            trouble: 'none',
            conditions: [],
          };
          const { complaints, log } = await play(scenario);
          t.deepEqual(complaints, [], log.join('\n'));
        }
      }
    }
  }
});

test('what is taken back before the point of no return is as it was', async (t) => {
  for (const flavour of ['mysql', 'mariadb'] as const) {
    for (const start of ['switchover', 'crash'] as const) {
      for (const count of [2, 3, 4]) {
        for (let failAt = 0; ; failAt++) {
          const random = randomFrom(failAt);
          const world = new World({ flavour, count, required: 1, random });
          world.live(30);
          world.everythingArrives();
          world.memory = withPrimary(world.memory, world.observe());
          if (start === 'crash') world.crash('db1');
          const before = shape(world, start);
          const planned = planPromote(world.observe(), { to: 'db2' }, SETTINGS);
          if (!('plan' in planned)) {
            t.fail(describeRefusals(planned));
            return;
          }
          const { how } = await runPlan(world, planned.plan, {
            settings: SETTINGS,
            random,
            failAt,
            between: () => {},
          });
          if (how !== 'undone') break;
          t.deepEqual(shape(world, start), before, planText(planned.plan).join('\n'));
        }
      }
    }
  }
});

test('the model knows the traps: what breaks the order is seen', (t) => {
  const world = new World({ flavour: 'mysql', count: 2, required: 1, random: () => 0.1 });
  world.isolated.add('db2');
  world.live(5);
  // A waiter is told OK when the source is turned off before its session has ended.
  world.do({ do: 'semi-sync-source', instance: 'db1', on: false });
  world.crash('db1');
  world.isolated.clear();
  world.everythingArrives();
  t.true(world.acknowledged.size > 0);
  t.false(world.node('db2').executed.has([...world.acknowledged][0] ?? ''));

  const other = new World({ flavour: 'mysql', count: 3, required: 1, random: () => 0.5 });
  other.do({ do: 'follow', instance: 'db3', source: 'db2', demoted: false });
  t.deepEqual(other.violations, []);
  other.do({ do: 'semi-sync-source', instance: 'db2', on: true });
  other.do({ do: 'make-writable', instance: 'db2' });
  t.deepEqual(
    other.violations,
    ['db1 and db2 can both acknowledge'].filter(() => other.canAcknowledge(other.node('db1'))),
  );
});

/** All that a plan may change and must put back. */
function shape(world: World, start: string): unknown {
  return {
    // Where writers to a dead primary are pointed is found out by the balancers' own checks.
    writer: start === 'crash' ? undefined : world.writer,
    held: world.held,
    nodes: [...world.nodes.values()].map(({ name, up, fenced, writable, source, link }) => ({
      name,
      // A server that died may run again after its fence was taken back: read-only.
      up: up || name === 'db1',
      fenced,
      writable,
      source,
      link: structuredClone(link),
    })),
  };
}
