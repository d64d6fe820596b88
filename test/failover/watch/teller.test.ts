import test from 'ava';

import { defaultSettings } from '../../../src/failover/cluster/settings.ts';
import type { Problem } from '../../../src/failover/problems/problems.ts';
import type { Verdict } from '../../../src/failover/watch/judge.ts';
import type { WatchEvent } from '../../../src/failover/watch/log.ts';
import { Teller } from '../../../src/failover/watch/teller.ts';
import { refusal } from '../../../src/failover/plan/refusals.ts';
import { site } from './world-ports.ts';

const DEAD: Problem = {
  code: 'DeadPrimary',
  severity: 'critical',
  instance: 'db1',
  message: 'the primary db1 does not answer',
  remedy: '`failover promote`',
  recovery: 'failover',
};
const NOTHING: Verdict = { kind: 'nothing' };
const SUSPECT: Verdict = { kind: 'suspect', problem: DEAD, why: 'it is asked again' };
const RECOVER: Verdict = { kind: 'recover', problem: DEAD, stoodMs: 100 };

function teller(): { readonly said: Teller; readonly events: WatchEvent[] } {
  const events: WatchEvent[] = [];
  const said = new Teller({
    cluster: { ...site().cluster, settings: defaultSettings() },
    ports: { hooks: async () => {} },
    log: (event) => void events.push(event),
    notify: async () => {},
  });
  return { said, events };
}

interface Look {
  readonly verdict: Verdict;
  readonly isUrgent?: false;
  readonly isChanging?: true;
}

const CASES: readonly {
  readonly name: string;
  readonly looks: readonly Look[];
  readonly events: readonly string[];
}[] = [
  {
    name: 'a suspicion is told once, and that it was nothing',
    looks: [{ verdict: SUSPECT }, { verdict: SUSPECT }, { verdict: NOTHING }, { verdict: NOTHING }],
    events: ['suspect', 'calm'],
  },
  {
    name: 'what comes again is told again',
    looks: [{ verdict: SUSPECT }, { verdict: NOTHING }, { verdict: SUSPECT }],
    events: ['suspect', 'calm', 'suspect'],
  },
  {
    name: 'what a change that is under way looks like is no suspicion, and nothing is left of it',
    looks: [
      { verdict: SUSPECT, isChanging: true },
      { verdict: NOTHING, isChanging: true },
      { verdict: NOTHING },
    ],
    events: [],
  },
  {
    name: 'what is left after the change is told',
    looks: [{ verdict: SUSPECT, isChanging: true }, { verdict: SUSPECT }],
    events: ['suspect'],
  },
  {
    name: 'what is not urgent is told as a problem when it stands',
    looks: [{ verdict: SUSPECT, isUrgent: false }, { verdict: NOTHING }],
    events: [],
  },
  {
    name: 'what was tried in vain, and is tried again and again, is no new suspicion each time',
    looks: [
      { verdict: SUSPECT },
      { verdict: RECOVER },
      { verdict: SUSPECT },
      { verdict: RECOVER },
      { verdict: NOTHING },
    ],
    events: ['suspect'],
  },
];

for (const { name, looks, events: wanted } of CASES) {
  test(name, (t) => {
    const { said, events } = teller();
    for (const { verdict, isUrgent = true, isChanging = false } of looks)
      said.suspicion(verdict, isUrgent, isChanging);
    t.deepEqual(
      events.map(({ event }) => event),
      wanted,
    );
  });
}

test('a refusal is told once, and again when its reasons are others', (t) => {
  const { said, events } = teller();
  const paused = refusal('Paused', undefined, 'recoveries were paused', { remedy: '`failover resume`' });
  const flapping = refusal('AntiFlap', undefined, 'it was not acknowledged', { remedy: '`failover ack`' });
  said.refusal(DEAD, [paused]);
  said.refusal(DEAD, [paused]);
  said.refusal(DEAD, [flapping]);
  t.deepEqual(
    events.map(({ remedy }) => remedy),
    ['`failover resume`', '`failover ack`'],
  );
});

test('who is waited for is told once, and again when it is somebody else', (t) => {
  const { said, events } = teller();
  for (const why of ['op has it', 'op has it', 'the store is lost', undefined, 'the store is lost'])
    said.waiting(DEAD, why);
  t.deepEqual(
    events.map(({ message }) => message),
    ['op has it', 'the store is lost', 'the store is lost'],
  );
});
