import test from 'ava';

import type { Plan } from '../../../src/failover/plan/action.ts';
import { problems } from '../../../src/failover/problems/problems.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import { newRecord, nextHistory, withAnswer, withSilence } from '../../../src/failover/watch/history.ts';
import { recover } from '../../../src/failover/watch/recover.ts';
import { ServerFailure } from '../../../src/database/failure.ts';
import { type Behaviour, fakeCluster } from '../support/fake-ports.ts';
import { describe, SETTINGS } from '../support/topology.ts';

const DEAD = ['db1 dead', 'db2 <db1~ 1:1-100', 'db3 <db1~ 1:1-100'];
const TWO_DEAD = ['db1 dead', 'db2 <db1~ 1:1-100', 'db3 dead'];
const FULL = ['db1 dead=too-many-connections', 'db2 <db1 1:1-100', 'db3 <db1 1:1-100'];
const WELL = ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1 1:1-100'];

interface Case {
  readonly name: string;
  readonly decided: readonly string[];
  /** What they say when the lease is there. */
  readonly seen: readonly string[];
  readonly ends: 'executed' | 'refused' | 'gone';
}

const CASES: readonly Case[] = [
  { name: 'a primary that is still dead is replaced', decided: DEAD, seen: DEAD, ends: 'executed' },
  {
    name: 'it is the same death when a replica has died, too',
    decided: DEAD,
    seen: TWO_DEAD,
    ends: 'refused',
  },
  { name: 'a primary that is back is left alone', decided: DEAD, seen: WELL, ends: 'gone' },
  {
    name: 'a primary that is back and stands in an old commit is watched first',
    decided: DEAD,
    seen: ['db1 primary commit=60 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1 1:1-100'],
    ends: 'gone',
  },
  {
    name: 'one that answers that it is full is alive, and waited for',
    decided: DEAD,
    seen: FULL,
    ends: 'gone',
  },
  { name: 'one that has been full for long is replaced', decided: FULL, seen: FULL, ends: 'executed' },
  { name: 'one that was full and is silent now is judged anew', decided: FULL, seen: DEAD, ends: 'gone' },
];

for (const { name, decided, seen, ends } of CASES) {
  test(name, async (t) => {
    const before = describe({ instances: decided });
    const [problem] = problems(before, SETTINGS);
    if (problem === undefined) throw new Error('there is no problem');
    const fake = fakeCluster(answers(describe({ instances: seen })));
    const { coordination } = fake.ports;
    let plan: Plan | undefined;
    const recovered = await recover(problem, historyOf(before), {
      cluster: {
        ...fake.cluster,
        settings: SETTINGS,
        instances: before.instances.map(({ spec }) => spec),
      },
      ports: {
        ...fake.ports,
        coordination: { ...coordination, acquire: async () => fake.lease, memory: async () => before.memory },
      },
      who: 'watch@lb1',
      balancers: fake.topology.balancers,
      began: (begun) => (plan = begun),
      report: () => {},
      signal: new AbortController().signal,
    });
    t.is(recovered.kind, ends);
    t.is(plan?.kind, ends === 'executed' ? 'failover' : undefined);
  });
}

const SILENT_WRITER = ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 dead'];
const BOTH = ['lb1', 'lb2'].map((name) => ({ name, reachable: true, writers: ['web1', 'web3'] }));

for (const { name, writers, ends } of [
  { name: 'the balancers say so still', writers: ['web1', 'web3'], ends: 'executed' },
  { name: 'they did three seconds ago, and do no more', writers: ['web1'], ends: 'gone' },
] as const) {
  test(`a silent instance is fenced on what the balancers say now: ${name}`, async (t) => {
    const before = describe({ instances: SILENT_WRITER, balancers: BOTH });
    const problem = problems(before, SETTINGS).find(({ code }) => code === 'SilentWriter');
    if (problem === undefined) throw new Error('there is no problem');
    const said = async (): Promise<readonly string[]> => writers;
    const fake = fakeCluster({ ...answers(before), 'lb1.writers': said, 'lb2.writers': said });
    const { coordination } = fake.ports;
    const recovered = await recover(problem, historyOf(before), {
      cluster: { ...fake.cluster, settings: SETTINGS, instances: before.instances.map(({ spec }) => spec) },
      ports: {
        ...fake.ports,
        coordination: { ...coordination, acquire: async () => fake.lease, memory: async () => before.memory },
      },
      who: 'watch@lb1',
      balancers: before.balancers,
      began: () => {},
      report: () => {},
      signal: new AbortController().signal,
    });
    t.is(recovered.kind, ends);
  });
}

function historyOf(topology: Topology) {
  const records = new Map(
    topology.instances.map((instance) => {
      const { spec } = instance;
      const record = newRecord(spec, 0);
      return [
        spec.name,
        instance.kind === 'silent'
          ? withSilence(record, 1, instance.silence)
          : withAnswer(record, 1, instance.state),
      ] as const;
    }),
  );
  return nextHistory(undefined, { now: 60_000, topology, records }, problems(topology, SETTINGS));
}

function answers(topology: Topology): Behaviour {
  return Object.fromEntries(
    topology.instances.map((instance) => [
      `${instance.spec.name}.readState`,
      async () => {
        if (instance.kind === 'answering') return instance.state;
        throw new ServerFailure(instance.spec.name, 'asking', instance.silence);
      },
    ]),
  );
}
