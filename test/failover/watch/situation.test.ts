import test from 'ava';

import { EMPTY_MEMORY } from '../../../src/failover/coordination/empty-memory.ts';
import { newRecord, withAnswer, withSilence } from '../../../src/failover/watch/history.ts';
import { topologyOf } from '../../../src/failover/watch/situation.ts';
import { parseInstance } from '../support/topology.ts';

const { instance } = parseInstance('db1 primary 1:1-100', 'mysql');
if (instance.kind !== 'answering') throw new Error('it answers');
const answered = withAnswer(newRecord(instance.spec, 0), 1000, instance.state);
const SURROUNDINGS = { balancers: [], memory: EMPTY_MEMORY };

/** Whether a state that was asked for so long ago still counts. */
function counts(ageMs: number, pollMs: number): boolean {
  const topology = topologyOf('shop', [answered], SURROUNDINGS, 1000 + ageMs, pollMs);
  return topology?.instances[0]?.kind === 'answering';
}

test('an old answer describes nobody any more', (t) => {
  t.true(counts(9_999, 250));
  t.false(counts(10_000, 250));
});

test('with a failover_poll_ms of many seconds an answer counts until the next ones should have come', (t) => {
  t.true(counts(20_000, 20_000));
  t.true(counts(59_999, 20_000));
  t.false(counts(60_000, 20_000));
  t.true(counts(179_000, 60_000));
});

test('one that answers and whose state is old lives; nothing is known before everybody was asked', (t) => {
  const topology = topologyOf('shop', [answered], SURROUNDINGS, 99_000, 250);
  const [one] = topology?.instances ?? [];
  t.true(one?.kind === 'silent' && one.silence.alive);
  const asked = 0;
  t.is(topologyOf('shop', [newRecord(instance.spec, 0)], SURROUNDINGS, asked), undefined);
  const silent = withSilence(newRecord(instance.spec, 0), 5, {
    kind: 'refused',
    alive: false,
    message: 'no',
  });
  t.is(topologyOf('shop', [silent], SURROUNDINGS, asked)?.instances[0]?.kind, 'silent');
});
