import test from 'ava';

import { defaultSettings } from '../../../src/failover/cluster/settings.ts';
import type { Problem } from '../../../src/failover/problems/problems.ts';
import type { Verdict } from '../../../src/failover/watch/judge.ts';
import type { WatchEvent } from '../../../src/failover/watch/log.ts';
import type { Notification } from '../../../src/failover/watch/notify.ts';
import { Teller } from '../../../src/failover/watch/teller.ts';
import { refusal } from '../../../src/failover/plan/refusals.ts';
import { EMPTY_MEMORY } from '../../../src/failover/coordination/empty-memory.ts';
import { nextHistory } from '../../../src/failover/watch/history.ts';
import type { Outcome } from '../../../src/failover/execute/outcome.ts';
import type { Plan } from '../../../src/failover/plan/action.ts';
import { describe } from '../support/topology.ts';
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

function teller(): {
  readonly said: Teller;
  readonly events: WatchEvent[];
  readonly notifications: Notification[];
} {
  const events: WatchEvent[] = [];
  const notifications: Notification[] = [];
  const said = new Teller({
    cluster: { ...site().cluster, settings: defaultSettings() },
    ports: { hooks: async () => {} },
    log: (event) => void events.push(event),
    notify: async (notification) => void notifications.push(notification),
  });
  return { said, events, notifications };
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

test('a replica that comes and goes beside a dead primary, and its reasons with it, tell nothing twice', (t) => {
  const { said, notifications } = teller();
  const some: Problem = { ...DEAD, code: 'DeadPrimaryAndSomeReplicas' };
  const few = refusal('TooFewAckers', undefined, 'db3 does not answer', { remedy: 'bring it back' });
  const flapping = refusal('AntiFlap', undefined, 'it was not acknowledged', { remedy: '`failover ack`' });
  for (let now = 0; now < 60_000; now += 1000) {
    const isBack = now % 2000 === 0;
    const topology = describe({ instances: ['db1 dead', 'db2 <db1~', isBack ? 'db3 <db1~' : 'db3 dead'] });
    const found = isBack ? DEAD : some;
    said.standing(nextHistory(undefined, { now, topology, records: new Map() }, [found]), false);
    said.refusal(found, [isBack ? flapping : few]);
  }
  t.deepEqual(
    notifications.map(({ event, message }) => [
      event,
      /not acknowledged|does not answer$/.exec(message)?.[0],
    ]),
    [
      ['refused', 'not acknowledged'],
      ['refused', 'does not answer'],
    ],
  );
});

test('who is waited for is told once, and again when it is somebody else', (t) => {
  const { said, events } = teller();
  for (const why of ['op has it', 'op has it', 'the store is lost', undefined, 'the store is lost'])
    said.waiting(DEAD, why, 0);
  t.deepEqual(
    events.map(({ message }) => message),
    ['op has it', 'the store is lost', 'the store is lost'],
  );
});

test('that nobody replaces a dead primary while somebody has the lock is critical, and people are told once', (t) => {
  const { said, events, notifications } = teller();
  const why = 'ann@desk is changing it right now (rejoin db9 --clone)';
  for (let now = 0; now <= 60_000; now += 500) said.waiting(DEAD, why, now);
  t.deepEqual(
    events.map(({ level }) => level),
    ['info', 'critical'],
  );
  t.deepEqual(
    notifications.map(({ level, message }) => [level, /ann@desk/.test(message), /db1/.test(message)]),
    [['critical', true, true]],
  );
});

test('to wait for a moment, or with a replica that has stopped, wakes nobody', (t) => {
  const { said, notifications } = teller();
  for (const now of [0, 2000, 4900]) said.waiting(DEAD, 'watch@lb2 is changing it', now);
  const stopped: Problem = { ...DEAD, code: 'ReplicationStopped', recovery: 'repair-replica' };
  said.waiting(DEAD, undefined, 5000);
  for (const now of [6000, 60_000]) said.waiting(stopped, 'ann@desk is changing it', now);
  t.deepEqual(notifications, []);
});

const UNDONE: Outcome = {
  id: 'one',
  epoch: 2,
  kind: 'failover',
  from: 'db1',
  to: 'db2',
  outcome: 'undone',
  unwritableMs: undefined,
  lostGtids: '',
  accepted: [],
  fenced: [],
  rejoined: [],
  ms: 100,
  warnings: [],
  left: [],
  message: 'hook before-failover ended with status 1 after 103 ms',
};
const PLAN: Plan = {
  kind: 'failover',
  from: 'db1',
  to: 'db2',
  notes: [],
  lost: '',
  lostCount: 0,
  stages: [],
};

test('a failover that fails again and again is told once for each reason, and its detection once', (t) => {
  const { said, events, notifications } = teller();
  const topology = describe({ instances: ['db1 dead', 'db2 <db1~', 'db3 <db1~'] });
  const history = nextHistory(undefined, { now: 0, topology, records: new Map() }, [DEAD]);
  for (const message of ['ended after 103 ms', 'ended after 99 ms', 'db3 does not answer']) {
    said.recovering(DEAD, PLAN, history, 100);
    said.outcome(DEAD, { ...UNDONE, message }, 120);
  }
  t.deepEqual(
    notifications.map(({ event }) => event),
    ['detected', 'failed', 'failed'],
  );
  t.is(events.filter(({ event }) => event === 'failed').length, 3, 'each attempt is in the log');
});

const HOUR = 3_600_000;
const PAUSE = { by: 'ann@desk', reason: 'moving the rack', at: 1_000_000 };

test('a pause without an end is told again every hour, and by a watch that was restarted too', (t) => {
  const { said, notifications } = teller();
  for (let at = PAUSE.at; at <= PAUSE.at + 2.5 * HOUR; at += 60_000)
    said.paused({ ...EMPTY_MEMORY, paused: PAUSE }, at);
  t.deepEqual(
    notifications.map(({ event, message }) => [
      event,
      /ann@desk.*moving the rack.* (\d+) h now/.exec(message)?.[1],
    ]),
    [
      ['paused', '1'],
      ['paused', '2'],
    ],
  );
  const restarted = teller();
  for (const hours of [2.6, 2.9, 3])
    restarted.said.paused({ ...EMPTY_MEMORY, paused: PAUSE }, PAUSE.at + hours * HOUR);
  t.is(restarted.notifications.length, 1);
  said.paused(EMPTY_MEMORY, PAUSE.at + 3 * HOUR);
  t.is(notifications.length, 2, 'whoever typed resume knows it');
});

test('a pause with an end is not told again, and its end is', (t) => {
  const { said, notifications } = teller();
  const paused = { ...PAUSE, until: PAUSE.at + 2 * HOUR };
  for (const hours of [0, 1, 1.9, 2, 2.1]) said.paused({ ...EMPTY_MEMORY, paused }, PAUSE.at + hours * HOUR);
  t.deepEqual(
    notifications.map(({ event }) => event),
    ['resumed'],
  );
});
