import test from 'ava';

import { parseGtids } from '../../../src/database/gtid.ts';
import type { FailoverSettings } from '../../../src/failover/cluster/cluster.ts';
import type { TailView } from '../../../src/failover/cluster/tail.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import type { Plan } from '../../../src/failover/plan/action.ts';
import { planRestOfFailover } from '../../../src/failover/plan/failover.ts';
import { planPromote, type PromoteWish } from '../../../src/failover/plan/promote.ts';
import { planText } from '../support/plan-text.ts';
import { describe, gtids, SETTINGS } from '../support/topology.ts';

const FLAVOURS = ['mysql', 'mariadb'] as const;

/** A dead primary that nobody has seen wait for acknowledgements, and two replicas that are behind its log. */
function topologyOf(flavour: (typeof FLAVOURS)[number], logged?: string, isComplete = true): Topology {
  const semiSync = { instance: 'another', waits: true, required: 1, endless: true };
  const seen = describe({
    flavour,
    instances: ['db1 dead=refused', 'db2 <db1~ 1:1-98', 'db3 <db1~ 1:1-97'],
    memory: { primary: 'db1', semiSync },
  });
  const tail: TailView | undefined =
    logged === undefined
      ? undefined
      : {
          instance: 'db1',
          logged: parseGtids(flavour, gtids(flavour, logged)),
          transactions: [],
          isComplete,
        };
  return { ...seen, tail };
}

function codesOf(
  topology: Topology,
  wish: PromoteWish,
  settings: FailoverSettings = SETTINGS,
): readonly string[] {
  const planned = planPromote(topology, wish, settings);
  return 'refusals' in planned ? planned.refusals.map(({ code }) => code) : [];
}

function planOf(topology: Topology, wish: PromoteWish, settings: FailoverSettings = SETTINGS): Plan {
  const planned = planPromote(topology, wish, settings);
  if ('refusals' in planned) throw new Error(planned.refusals.map(({ message }) => message).join('; '));
  return planned.plan;
}

const RESCUE: PromoteWish = { to: 'db2', rescueTail: true };

for (const flavour of FLAVOURS) {
  test(`${flavour}: a tail that goes on where the replicas end is applied before writes are taken, and proves that nothing is lost`, (t) => {
    t.deepEqual(codesOf(topologyOf(flavour), { to: 'db2' }), ['Asynchronous']);
    const plan = planOf(topologyOf(flavour, '1:1-100'), RESCUE);
    const lines = planText(plan);
    t.true(lines[0]?.split(' | ').includes('fence db1'), 'the fence is awaited');
    const applied = lines.findIndex((line) => line.includes('apply-log db2 of db1'));
    const opened = lines.findIndex((line) => line.includes('!make-writable db2'));
    t.true(applied > 0 && applied < opened, lines.join('\n'));
    t.is(plan.lookAgain?.rescueTail, true);
    t.true(plan.notes.includes('no acknowledged write is lost'));
    t.true(plan.notes.some((note) => note.includes('holds 2 transactions that no replica has')));
    const fence = plan.stages.flat().find(({ action }) => action.do === 'fence');
    t.like(fence, { optional: undefined, beside: undefined });
  });

  test(`${flavour}: without a wish the tail is only shown`, (t) => {
    const plan = planOf(topologyOf(flavour, '1:1-100'), { to: 'db2', accepts: ['Asynchronous'] });
    t.false(planText(plan).join().includes('apply-log'));
    t.true(plan.notes.some((note) => note.includes('`--rescue-tail` applies them')));
  });

  test(`${flavour}: a log that lacks what the replicas have is no continuation`, (t) => {
    t.deepEqual(codesOf(topologyOf(flavour, '1:1-96'), RESCUE), ['Asynchronous', 'TailNotContinuous']);
  });

  test(`${flavour}: a log of a machine that crashed with it proves nothing, but is applied when that is accepted`, (t) => {
    t.deepEqual(codesOf(topologyOf(flavour, '1:1-100', false), RESCUE), ['Asynchronous']);
    const plan = planOf(topologyOf(flavour, '1:1-100', false), { ...RESCUE, accepts: ['Asynchronous'] });
    t.true(planText(plan).join().includes('apply-log db2 of db1'));
  });

  test(`${flavour}: a log that lacks what was last seen of the primary proves nothing`, (t) => {
    const topology = topologyOf(flavour, '1:1-100');
    const memory = { ...topology.memory, lastSeen: gtids(flavour, '1:1-105') };
    t.deepEqual(codesOf({ ...topology, memory }, RESCUE), ['LosesTransactions', 'Asynchronous']);
  });

  test(`${flavour}: a log that cannot be read is refused with its reason, before anything is done`, (t) => {
    const tail = { instance: 'db1', unreadable: 'it is encrypted' };
    const planned = planPromote({ ...topologyOf(flavour), tail }, RESCUE, SETTINGS);
    t.true('refusals' in planned);
    if (!('refusals' in planned)) return;
    t.like(planned.refusals.at(-1), { code: 'TailUnreadable' });
    t.regex(planned.refusals.at(-1)?.message ?? '', /it is encrypted/);
  });

  test(`${flavour}: what the log holds is decided when the primary is fenced`, (t) => {
    const before = topologyOf(flavour);
    const begun = planOf(before, RESCUE);
    t.true(begun.notes.includes('what only the binary log of db1 holds is applied on db2 first'));
    const { lookAgain } = begun;
    if (lookAgain === undefined) return t.fail();
    const stopped = (tail: TailView): Topology => ({
      ...describe({ flavour, instances: ['db1 dead=refused', 'db2 <db1x 1:1-98', 'db3 <db1x 1:1-97'] }),
      memory: before.memory,
      tail,
    });
    const read = topologyOf(flavour, '1:1-100').tail;
    if (read === undefined) return t.fail();
    const good = planRestOfFailover(stopped(read), before, { ...begun, lookAgain }, SETTINGS);
    t.true('plan' in good && planText(good.plan).join().includes('apply-log db2 of db1'));
    if ('begins' in good) t.is(good.begins.began, gtids(flavour, '1:1-100'));
    const bad = planRestOfFailover(
      stopped({ instance: 'db1', unreadable: 'mysqld runs' }),
      before,
      { ...begun, lookAgain },
      SETTINGS,
    );
    t.true('refusals' in bad && bad.refusals.some(({ code }) => code === 'TailUnreadable'));
  });

  test(`${flavour}: the watch rescues the tail where it is told to, and only where something could be lost`, (t) => {
    const settings = { ...SETTINGS, rescueTail: true };
    t.deepEqual(codesOf(topologyOf(flavour), { automatic: true }), ['Asynchronous']);
    t.is(planOf(topologyOf(flavour), { automatic: true }, settings).lookAgain?.rescueTail, true);
    const known = topologyOf(flavour);
    const semiSync = { instance: 'db1', waits: true, required: 1, endless: true };
    const safe = { ...known, memory: { ...known.memory, semiSync } };
    t.not(planOf(safe, { automatic: true }, settings).lookAgain?.rescueTail, true);
  });
}
