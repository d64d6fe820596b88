import test from 'ava';

import {
  outOfServiceMs,
  recorded,
  type RollEvent,
  type RollRecord,
  rollRecordSchema,
  stateOf,
} from '../../../src/site/roll/record.ts';

const START: RollEvent = {
  type: 'roll',
  id: 'one',
  purpose: 'upgrade',
  who: 'ann@desk',
  at: 1000,
  hosts: ['web1', 'web2'],
};

function record(...events: readonly (readonly [phase: string, status: string, at: number])[]): RollRecord {
  const begun = recorded(undefined, START);
  return events.reduce<RollRecord>(
    (before, [phase, status, at]) =>
      recorded(before, { type: 'phase', host: 'web1', phase, status, at } as RollEvent),
    begun,
  );
}

test('a record tells who is done, who was begun and on whom the work is done', (t) => {
  const states = (one: RollRecord): readonly (readonly string[])[] => {
    const { done, begun, worked } = stateOf(one);
    return [[...done], [...begun], [...worked]];
  };
  t.deepEqual(states(record()), [[], [], []]);
  t.deepEqual(states(record(['drain', 'running', 1])), [[], ['web1'], []], 'it may be out already');
  t.deepEqual(
    states(record(['drain', 'running', 1], ['drain', 'failed', 2])),
    [[], [], []],
    'it was put back',
  );
  t.deepEqual(
    states(
      record(['drain', 'running', 1], ['drain', 'done', 2], ['drain', 'running', 3], ['drain', 'failed', 4]),
    ),
    [[], ['web1'], []],
    'it was out before, and is still',
  );
  t.deepEqual(
    states(
      record(
        ['drain', 'running', 1],
        ['drain', 'done', 2],
        ['undrain', 'running', 3],
        ['undrain', 'done', 4],
      ),
    ),
    [[], [], []],
    'it came back without work',
  );
  t.deepEqual(states(record(['work', 'running', 1])), [[], ['web1'], []]);
  t.deepEqual(states(record(['work', 'running', 1], ['work', 'failed', 2])), [[], ['web1'], []]);
  t.deepEqual(states(record(['work', 'running', 1], ['work', 'done', 2])), [[], ['web1'], ['web1']]);
  t.deepEqual(
    states(record(['work', 'done', 2], ['drain', 'running', 3], ['drain', 'done', 4])),
    [[], ['web1'], ['web1']],
    'whoever goes on drains it again, and does not work on it again',
  );
  t.deepEqual(states(record(['work', 'done', 2], ['settle', 'done', 3])), [['web1'], [], []]);
});

test('the time out of service is from the drain until it is back, also over two attempts', (t) => {
  const host = record(
    ['drain', 'running', 1000],
    ['drain', 'done', 1500],
    ['work', 'running', 1500],
    ['work', 'done', 4000],
    ['undrain', 'running', 4000],
    ['undrain', 'done', 5000],
  ).hosts[0]!;
  t.is(outOfServiceMs(host, 99_000), 4000);
  const open = record(['drain', 'running', 1000], ['drain', 'done', 1500]).hosts[0]!;
  t.is(outOfServiceMs(open, 3000), 2000, 'it is out still');
  const failed = record(['drain', 'running', 1000], ['drain', 'failed', 1200]).hosts[0]!;
  t.is(outOfServiceMs(failed, 3000), 200);
});

test('a roll that goes on keeps what was done and when it began', (t) => {
  const first = recorded(record(['settle', 'done', 2]), {
    type: 'roll-end',
    id: 'one',
    at: 5000,
    outcome: 'stopped',
    message: 'web2: no',
  });
  const second = recorded(first, { ...START, at: 9000, who: 'bob@desk' });
  t.like(second, { startedAt: 1000, who: 'ann@desk', outcome: 'running', hosts: first.hosts });
  t.is(second.endedAt, undefined);
  t.is(second.message, undefined);
  t.notThrows(() => rollRecordSchema.parse(JSON.parse(JSON.stringify(second))));
});
