import test from 'ava';

import { parseGtids } from '../../../src/database/gtid.ts';
import type { Memory } from '../../../src/failover/cluster/memory.ts';
import { mayHaveLostRelayLog, withStarts } from '../../../src/failover/cluster/restarts.ts';
import { surveyOf } from '../../../src/failover/cluster/survey-of.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import { describe, NO_MEMORY, SETTINGS } from '../support/topology.ts';

const MINUTE = 60_000;

/** db1 is gone, and db2 says that it is this run of it; our own clock is off by so much. */
function seen(run: number, memory: Memory, clock = 0): Topology {
  const topology = describe({
    flavour: 'mariadb',
    instances: ['db1 dead', `db2 <db1~ 1:1-100 run=${run}`],
  });
  return { ...topology, at: topology.at + clock, memory };
}

/** What a watch remembers of run 0, which has everything. */
const REMEMBERED: Memory = {
  ...NO_MEMORY,
  primary: 'db1',
  ...withStarts(NO_MEMORY, seen(0, NO_MEMORY), parseGtids('mariadb', '0-1-100')),
};

function hasLost(topology: Topology): boolean {
  const survey = surveyOf(topology, SETTINGS);
  const instance = survey.instance('db2');
  return instance?.kind === 'answering' && mayHaveLostRelayLog(survey, instance);
}

for (const clock of [-10 * MINUTE, 0, 10 * MINUTE]) {
  test(`whoever looks, with a clock that is off by ${clock / MINUTE} minutes, sees the same run and another one`, (t) => {
    t.false(hasLost(seen(0, REMEMBERED, clock)));
    t.true(hasLost(seen(2, REMEMBERED, clock)), 'it was started again within two seconds');
  });
}

test('another look at the same run changes nothing that is remembered', (t) => {
  const again = withStarts(REMEMBERED, seen(0, REMEMBERED, MINUTE), parseGtids('mariadb', '0-1-100'));
  t.deepEqual(again, { started: REMEMBERED.started, runs: REMEMBERED.runs });
});

test('a replica that is seen for the first time may acknowledge before it has everything, and lose that at a restart', (t) => {
  const behind = parseGtids('mariadb', '0-1-200');
  const memory = { ...NO_MEMORY, primary: 'db1', ...withStarts(NO_MEMORY, seen(0, NO_MEMORY), behind) };
  t.false(hasLost(seen(0, memory)));
  t.true(hasLost(seen(10, memory)));
  const again = { ...memory, ...withStarts(memory, seen(10, memory), behind) };
  t.true(hasLost(seen(10, again)), 'it has not fetched again what it had before the restart');
});

test('what an older release remembers counts as far as clocks agree, and goes on being written for it', (t) => {
  const { runs: _, ...older } = REMEMBERED;
  t.false(hasLost(seen(4, older)));
  t.true(hasLost(seen(6, older)));
  const restarted = withStarts(older, seen(60, older), parseGtids('mariadb', '0-1-100'));
  t.is(restarted.started?.['db2'], restarted.runs?.['db2']);
});
