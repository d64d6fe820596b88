import test from 'ava';

import { parseGtids } from '../../../src/database/gtid.ts';
import type { FailoverSettings } from '../../../src/failover/cluster/cluster.ts';
import { surveyOf } from '../../../src/failover/cluster/survey-of.ts';
import type { TailView } from '../../../src/failover/cluster/tail.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import type { Plan } from '../../../src/failover/plan/action.ts';
import { rescueRefusals } from '../../../src/failover/plan/rescue.ts';
import { planRestOfFailover } from '../../../src/failover/plan/failover.ts';
import { planPromote, type PromoteWish } from '../../../src/failover/plan/promote.ts';
import { planText } from '../support/plan-text.ts';
import { describe, gtids, SETTINGS } from '../support/topology.ts';

const FLAVOURS = ['mysql', 'mariadb'] as const;

/** A dead primary that nobody has seen wait for acknowledgements, and two replicas that are behind its log. */
function topologyOf(flavour: (typeof FLAVOURS)[number], logged?: string): Topology {
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
          isCut: false,
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

const RESCUE: PromoteWish = { to: 'db2', rescueTail: true, accepts: ['Asynchronous'] };

for (const flavour of FLAVOURS) {
  test(`${flavour}: a tail that goes on where the replicas end is applied before writes are taken, and proves nothing`, (t) => {
    t.deepEqual(codesOf(topologyOf(flavour), { to: 'db2' }), ['Asynchronous']);
    t.deepEqual(codesOf(topologyOf(flavour), { ...RESCUE, accepts: [] }), ['Asynchronous']);
    t.deepEqual(codesOf(topologyOf(flavour, '1:1-100'), { ...RESCUE, accepts: [] }), ['Asynchronous']);
    const plan = planOf(topologyOf(flavour, '1:1-100'), RESCUE);
    const lines = planText(plan);
    t.true(lines[0]?.split(' | ').includes('fence db1'), 'the fence is awaited');
    const applied = lines.findIndex((line) => line.includes('apply-log db2 of db1'));
    const opened = lines.findIndex((line) => line.includes('!make-writable db2'));
    t.true(applied > 0 && applied < opened, lines.join('\n'));
    // MariaDB: only without replication can it be told what of it was applied.
    const stopped = lines.flatMap((line, at) => (line.includes('stop-replica db2') ? [at] : []));
    t.deepEqual(stopped, [applied - 1]);
    const stop = plan.stages.flat().find(({ action }) => action.do === 'stop-replica');
    t.deepEqual(stop?.undo, [{ do: 'start-replica', instance: 'db2' }]);
    t.is(plan.lookAgain?.rescueTail, true);
    t.false(plan.notes.includes('no acknowledged write is lost'));
    t.true(plan.notes.some((note) => note.startsWith('writes may be lost')));
    t.true(
      plan.notes.some((note) =>
        /holds 2 transactions that no replica has.* had not written to its disk cannot be known/.test(note),
      ),
    );
    const fence = plan.stages.flat().find(({ action }) => action.do === 'fence');
    t.like(fence, { optional: undefined, beside: undefined });
  });

  test(`${flavour}: without a wish the tail is only shown`, (t) => {
    const plan = planOf(topologyOf(flavour, '1:1-100'), { to: 'db2', accepts: ['Asynchronous'] });
    t.false(planText(plan).join().includes('apply-log'));
    t.true(plan.notes.some((note) => note.includes('`--rescue-tail` applies them')));
  });

  test(`${flavour}: a log that lacks what the replicas have is no continuation`, (t) => {
    t.deepEqual(codesOf(topologyOf(flavour, '1:1-96'), RESCUE), ['TailNotContinuous']);
  });

  test(`${flavour}: a log that ends within an event is applied, and the plan says so`, (t) => {
    const topology = topologyOf(flavour, '1:1-100');
    const { tail } = topology;
    if (tail === undefined || 'unreadable' in tail) return t.fail();
    const plan = planOf({ ...topology, tail: { ...tail, isCut: true } }, RESCUE);
    t.true(planText(plan).join().includes('apply-log db2 of db1'));
    t.true(plan.notes.includes('the binary log of db1 ends within an event, which is left out'));
  });

  test(`${flavour}: the log of an instance that need not have been the last primary is never applied`, (t) => {
    const known = topologyOf(flavour, '1:1-100');
    const unfinished = { id: 'f-1', kind: 'failover', from: 'db1', to: 'db3' } as const;
    const doubtful = [
      { memory: { ...known.memory, primary: 'db3' }, reason: /db3 was the primary last/ },
      { memory: { ...known.memory, unfinished }, reason: /a failover to db3 was cut off/ },
    ];
    for (const { memory, reason } of doubtful) {
      for (const topology of [
        { ...known, memory },
        { ...known, memory, tail: undefined },
      ]) {
        const primary = topology.instances[0];
        const to = topology.instances[1];
        if (to?.kind !== 'answering') return t.fail();
        const found = rescueRefusals(surveyOf(topology, SETTINGS, primary), to);
        t.deepEqual(
          found.map(({ code }) => code),
          ['TailNotContinuous'],
        );
        t.regex(found[0]?.message ?? '', reason);
      }
    }
  });

  test(`${flavour}: a change that was cut off is not ended with a rescue`, (t) => {
    const semiSync = { instance: 'db1', waits: true, required: 1, endless: true };
    const known = topologyOf(flavour);
    const memory = {
      ...known.memory,
      semiSync,
      unfinished: { id: 'f-1', kind: 'failover', from: 'db1', to: 'db2' } as const,
    };
    t.deepEqual(codesOf({ ...known, memory }, { to: 'db2', rescueTail: true }), ['TailNotContinuous']);
  });

  test(`${flavour}: what was last seen of the primary and is not in its log is lost`, (t) => {
    const topology = topologyOf(flavour, '1:1-100');
    const memory = { ...topology.memory, lastSeen: gtids(flavour, '1:1-105') };
    t.deepEqual(codesOf({ ...topology, memory }, RESCUE), ['LosesTransactions']);
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
    t.true(
      begun.notes.some((note) =>
        note.startsWith('what only the binary log of db1 holds is applied on db2 first'),
      ),
    );
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
}
