import { readFileSync } from 'node:fs';

import test from 'ava';

import { problems } from '../../../src/failover/problems/problems.ts';
import type { FailoverSettings } from '../../../src/failover/cluster/cluster.ts';
import type { Memory } from '../../../src/failover/cluster/memory.ts';
import {
  type History,
  newRecord,
  nextHistory,
  type InstanceRecord,
  silentFor,
  withAnswer,
  withSilence,
} from '../../../src/failover/watch/history.ts';
import { judge, type Verdict } from '../../../src/failover/watch/judge.ts';
import { topologyOf } from '../../../src/failover/watch/situation.ts';
import type { Flavour } from '../../../src/database/version.ts';
import { describe, SETTINGS } from '../support/topology.ts';

interface Moment {
  /** Milliseconds since the watch began. */
  readonly at: number;
  /** What each says when it is asked now; without: what it said before. */
  readonly instances?: readonly string[];
  readonly memory?: Partial<Memory>;
  /** They were only asked whether they are there. */
  readonly pinged?: readonly string[];
  readonly verdict: string;
}

interface Case {
  readonly name: string;
  readonly moments: readonly Moment[];
}

const CASES = JSON.parse(
  readFileSync(new URL('cases/watch.json', import.meta.url), 'utf8'),
) as readonly Case[];

/** Plays the moments, and gives the verdict of each. */
function play(
  moments: readonly Omit<Moment, 'verdict'>[],
  flavour: Flavour,
  settings: FailoverSettings = SETTINGS,
): readonly string[] {
  const records = new Map<string, InstanceRecord>();
  let instances: readonly string[] = [];
  let memory: Partial<Memory> = {};
  let history: History | undefined;
  return moments.map((moment) => {
    const { at } = moment;
    instances = moment.instances ?? instances;
    memory = moment.memory ?? memory;
    const said = describe({ flavour, instances, memory: memory as object });
    for (const instance of said.instances) {
      const { name } = instance.spec;
      const before = records.get(name) ?? newRecord(instance.spec, 0);
      records.set(
        name,
        instance.kind === 'silent'
          ? withSilence(before, at, instance.silence)
          : moment.pinged?.includes(name)
            ? withAnswer(before, at)
            : withAnswer(before, at, instance.state),
      );
    }
    const { balancers } = said;
    const topology = topologyOf('test', [...records.values()], { balancers, memory: said.memory }, at);
    if (topology === undefined) return 'not asked yet';
    history = nextHistory(history, { now: at, topology, records }, problems(topology, settings));
    return textOf(judge(history, settings));
  });
}

function textOf(verdict: Verdict): string {
  if (verdict.kind === 'nothing') return 'nothing';
  const { code, instance } = verdict.problem;
  return `${verdict.kind} ${code}${instance === undefined ? '' : ` ${instance}`}`;
}

for (const flavour of ['mysql', 'mariadb'] as const) {
  for (const { name, moments } of CASES) {
    test(`${flavour}: ${name}`, (t) => {
      t.deepEqual(
        play(moments, flavour),
        moments.map((moment) => moment.verdict),
      );
    });
  }
}

test('how long commits may stand still is a setting', (t) => {
  const instances = ['db1 primary 1:1-100 commit=12', 'db2 <db1 1:1-100', 'db3 <db1 1:1-100'];
  const moments = [0, 1900, 2000].map((at) => ({ at, instances }));
  t.deepEqual(play(moments, 'mysql', { ...SETTINGS, stalledAfterMs: 2000 }), [
    'suspect PrimaryDiskStalled db1',
    'suspect PrimaryDiskStalled db1',
    'recover PrimaryDiskStalled db1',
  ]);
});

test('what was tried in vain is left alone, and the next problem is looked at', (t) => {
  const moments = [
    {
      at: 0,
      instances: ['db2 primary 1:1-100', 'db1 1:1-100', 'db3 <db2x 1:1-100', 'db4 <db2 1:1-100'],
      memory: { primary: 'db2' },
    },
  ];
  const said = describe(moments[0] as object as Parameters<typeof describe>[0]);
  const records = new Map(
    said.instances.map((instance) => {
      if (instance.kind === 'silent') throw new Error('all answer here');
      return [instance.spec.name, withAnswer(newRecord(instance.spec, 0), 0, instance.state)] as const;
    }),
  );
  const found = problems(said, SETTINGS);
  const first = nextHistory(undefined, { now: 0, topology: said, records }, found);
  const later = nextHistory(first, { now: 10_000, topology: said, records }, found);
  t.is(textOf(judge(later, SETTINGS)), 'recover NotConnectedToPrimary db1');
  t.is(
    textOf(judge(later, SETTINGS, (problem) => problem.instance === 'db1')),
    'recover ReplicationStopped db3',
  );
  t.is(textOf(judge(later, SETTINGS, (problem) => problem.recovery !== undefined)), 'nothing');
});

test('silence is counted from the last answer, not from the question that failed', (t) => {
  const [instance] = describe({ instances: ['db1 primary'] }).instances;
  if (instance?.kind !== 'answering') throw new Error('it answers');
  const heard = withAnswer(newRecord(instance.spec, 0), 1000, instance.state);
  const silent = withSilence(heard, 1250, { kind: 'timeout', alive: false, message: 'no answer' });
  t.is(silentFor(heard, 5000), 0);
  t.is(silentFor(silent, 4000), 3000);
  t.is(silent.refusedSince, undefined);
  t.is(withSilence(silent, 2000, { kind: 'refused', alive: false, message: 'refused' }).refusedSince, 2000);
});

test('nothing is judged before everybody was asked, and an old state is no answer', (t) => {
  const [one, other] = describe({ instances: ['db1 primary', 'db2 <db1'] }).instances;
  if (one?.kind !== 'answering' || other?.kind !== 'answering') throw new Error('both answer');
  const surroundings = { balancers: [], memory: describe({ instances: [] }).memory };
  const heard = withAnswer(newRecord(one.spec, 0), 0, one.state);
  t.is(topologyOf('test', [heard, newRecord(other.spec, 0)], surroundings, 10), undefined);
  const pinged = withAnswer(heard, 20_000);
  const [seen] = topologyOf('test', [pinged], surroundings, 20_000)?.instances ?? [];
  if (seen?.kind !== 'silent') throw new Error('its state is too old');
  t.true(seen.silence.alive);
});
