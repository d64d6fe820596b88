import test from 'ava';

import type { Action } from '../../../src/failover/plan/action.ts';
import { execute } from '../../../src/failover/execute/execute.ts';
import type { Outcome } from '../../../src/failover/execute/outcome.ts';
import { fakeCluster, planOf } from '../support/fake-ports.ts';
import { describe } from '../support/topology.ts';

type AwaitReceived = Extract<Action, { readonly do: 'await-received' }>;

const leaving: AwaitReceived = {
  do: 'await-received',
  instance: 'db1',
  on: ['db2', 'db3'],
  count: 1,
  has: '00000000-0000-0000-0000-000000000009:1-90',
};

/** Each of the lists is what an instance says, one answer after the other; the last one again and again. */
async function outcomeOf(
  says: Readonly<Record<string, readonly string[]>>,
  { limitMs = 60_000, ...action }: Partial<AwaitReceived> & { readonly limitMs?: number } = {},
): Promise<Outcome> {
  const answers = Object.entries(says).map(([name, lines]) => {
    const states = lines.map((line) => {
      const [seen] = describe({ instances: [line] }).instances;
      return seen?.kind === 'answering' ? seen.state : undefined;
    });
    let next = 0;
    const answer = async (): Promise<unknown> => {
      const state = states[Math.min(next++, states.length - 1)];
      if (state === undefined) throw new Error('it does not answer');
      return state;
    };
    return [`${name}.readState`, answer] as const;
  });
  const fake = fakeCluster(Object.fromEntries(answers));
  return await execute(planOf([{ action: { ...leaving, ...action }, limitMs }]), {
    cluster: fake.cluster,
    ports: fake.ports,
    lease: fake.lease,
    topology: fake.topology,
    who: 'tester',
    reason: 'a test',
  });
}

const LEAVING = 'db1 <db9x 9:1-90 +9:91-100';

test('what one holds is what it has applied and what it has received, and who has received it has it', async (t) => {
  const outcome = await outcomeOf({
    db1: [LEAVING],
    db2: ['db2 <db9 9:1-40 +9:41-95', 'db2 <db9 9:1-40 +9:41-100'],
    db3: ['db3 dead=timeout'],
  });
  t.is(outcome.outcome, 'done', outcome.message);
});

test('as many as are asked for must have it', async (t) => {
  const says = { db1: [LEAVING], db2: ['db2 <db9 9:1-100'], db3: ['db3 <db9 9:1-99'] };
  t.is((await outcomeOf(says)).outcome, 'done');
  const two = await outcomeOf(says, { count: 2, limitMs: 300 });
  t.is(two.outcome, 'undone');
  t.regex(two.message ?? '', /^db3 has not received within \d+ ms all that db1 holds$/);
});

test('what was known to be there counts, whatever became of it meanwhile; what is errant does not', async (t) => {
  const says = { db1: ['db1 <db9x 9:1-80 1:1-3'], db2: ['db2 <db9 9:1-89'], db3: ['db3 <db9 9:1-89'] };
  const without = '00000000-0000-0000-0000-000000000001:1-3';
  t.is((await outcomeOf(says, { limitMs: 300, without })).outcome, 'undone');
  const all = { ...says, db2: ['db2 <db9 9:1-90'] };
  t.is((await outcomeOf(all, { without })).outcome, 'done');
});
