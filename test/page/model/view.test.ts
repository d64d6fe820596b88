import test from 'ava';

import { databaseView } from '../../../src/page/model/database.ts';
import { type PageState, pageStateSchema } from '../../../src/page/model/state.ts';
import { pageView } from '../../../src/page/model/view.ts';
import { balancer, change, database, HEALTHY, pageState, server } from '../support.ts';

test('the states of these tests are what the server may send', (t) => {
  t.notThrows(() => pageStateSchema.parse(JSON.parse(JSON.stringify(pageState()))));
});

for (const [what, state, headline] of [
  ['all is well', {}, 'good: Everything works'],
  [
    'nothing is known yet',
    { databases: [{ ...database(HEALTHY), status: null }] },
    'unknown: Not everything is known yet',
  ],
  [
    'a database cannot be seen',
    { databases: [{ ...database(HEALTHY), status: null, failure: 'its description is wrong' }] },
    'critical: Something is wrong',
  ],
  [
    'a server is drained',
    { balancers: [balancer('lb1', true, { servers: [server('web1', { isOut: true })] })] },
    'notice: It works, with something to know',
  ],
  [
    'a balancer is silent',
    { balancers: [balancer('lb1', true), balancer('lb2', null, { silence: 'no' })] },
    'critical: Something is wrong',
  ],
  [
    'a change is under way',
    { databases: [database(HEALTHY, { history: [change({ outcome: 'running' })] })] },
    'notice: A switchover is under way: db1 → db2',
  ],
  [
    'members of etcd are lost',
    { databases: [database(HEALTHY, { etcd: [{ member: '10.0.0.1:2379', trouble: 'silent' }] })] },
    'warning: Something is wrong',
  ],
] as const satisfies readonly (readonly [string, Partial<PageState>, string])[]) {
  test(`the headline when ${what}`, (t) => {
    const { headline: said } = pageView(pageState(state));
    t.is(`${said.tone}: ${said.text}`, headline);
  });
}

test('the headline counts problems, the worst first', (t) => {
  const state = database(['db1 dead=refused', 'db2 <db1~ 1:1-100', 'db3 <db1~ 1:1-100']);
  const { headline, databases } = pageView(pageState({ databases: [state] }));
  t.is(headline.tone, 'critical');
  t.regex(headline.text, /^1 critical problem/);
  t.deepEqual(
    databases[0]?.problems.map(({ code }) => code),
    state.status?.problems.map(({ code }) => code),
  );
});

test('each problem has its remedy, with what can be typed set apart', (t) => {
  const state = database(['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 1:1-100']);
  const { problems } = databaseView(state);
  t.true(problems.length > 0);
  for (const [index, { remedy }] of problems.entries())
    t.is(
      remedy.map(({ text }) => text).join(''),
      (state.status?.problems[index]?.remedy ?? '').replaceAll('`', ''),
    );
  t.true(problems.some(({ remedy }) => remedy.some(({ kind }) => kind === 'code')));
});

test('a store that is lost is said, and counts', (t) => {
  const { headline, databases } = pageView(
    pageState({ databases: [database(HEALTHY, { storeFailure: 'etcd does not answer' })] }),
  );
  t.is(headline.tone, 'critical');
  t.is(databases[0]?.storeFailure, 'etcd does not answer');
});

test('where writers go is said by the name of the instance', (t) => {
  const state = database(HEALTHY);
  const status = state.status;
  if (!status) throw new Error('a status');
  const views = (
    [
      { name: 'lb1', kind: 'haproxy', reachable: true, writers: ['web1'] },
      { name: 'lb2', kind: 'haproxy', reachable: true, writers: [] },
      { name: 'lb3', kind: 'haproxy', reachable: true, writers: ['web1', 'web3'] },
      { name: '10.0.0.9', kind: 'vip', reachable: false, writers: [] },
    ] as const
  ).map(({ writers, ...one }) => ({ ...one, writers: [...writers] }));
  t.deepEqual(
    databaseView({ ...state, status: { ...status, balancers: views } }).writers.map(
      ({ name, mark }) => `${name}: ${mark.tone}: ${mark.text}`,
    ),
    [
      'lb1: good: writers to db1',
      'lb2: critical: no writer',
      'lb3: critical: writers to db1 and db3',
      '10.0.0.9 (vip): warning: does not answer',
    ],
  );
});

test('the store of sessions is shown with its own problems', (t) => {
  const state = database(HEALTHY);
  const status = state.status;
  if (!status) throw new Error('a status');
  const member = (host: string, change_: object) => ({
    host,
    address: host,
    reachable: true,
    role: 'replica' as const,
    version: '8.1.1',
    follows: 'web1',
    connected: true,
    behindBytes: 0,
    lagSeconds: 1,
    usedBytes: 1,
    maxBytes: 0,
    sentinel: { primary: 'web1', others: 2, quorum: true },
    ...change_,
  });
  const remedy = '`provision up`, or start it';
  const sessions = {
    primary: 'web1',
    members: [
      member('web1', { role: 'primary' }),
      member('web2', {}),
      member('web3', { connected: false }),
      member('web4', { sentinel: null }),
      member('web5', { role: null }),
      member('web6', { reachable: false }),
    ],
    problems: [
      { code: 'SilentMember', severity: 'warning' as const, host: 'web6', message: 'it is silent', remedy },
    ],
  };
  const view = databaseView({ ...state, status: { ...status, sessions } });
  t.deepEqual(
    view.sessions?.map(({ name, mark }) => `${name}: ${mark.tone}: ${mark.text}`),
    [
      'web1: good: primary',
      'web2: good: replica, 1 s behind',
      'web3: warning: replica without its primary',
      'web4: warning: replica, 1 s behind, its Sentinel is silent',
      'web5: critical: Valkey does not answer',
      'web6: warning: silent',
    ],
  );
  t.deepEqual(
    view.problems.map(({ code, tone }) => [code, tone]),
    [['SilentMember', 'warning']],
  );
});

test('a change has its steps, its time, and what it cost', (t) => {
  const [done, failed] = databaseView(
    database(HEALTHY, {
      history: [
        change(),
        change({
          id: 'two',
          outcome: 'failed',
          from: null,
          lostGtids: '0-1-7',
          message: 'db2 said no',
          attempts: 3,
          accepted: ['lost-transactions'],
        }),
      ],
    }),
  ).history;
  t.like(done, {
    change: 'db1 → db2',
    took: '184 ms',
    mark: { tone: 'good', text: 'done' },
    notes: [],
    isRunning: false,
  });
  t.deepEqual(
    done?.steps.map(({ name, took }) => [name, took]),
    [
      ['make db1 read-only', '12 ms'],
      ['db2: open', '1.5 s'],
    ],
  );
  t.is(failed?.change, 'db2');
  t.deepEqual(
    failed?.notes.map(({ tone, text }) => `${tone}: ${text}`),
    [
      'warning: db2 said no',
      'critical: lost: 0-1-7',
      'notice: accepted: lost-transactions',
      'notice: the last of 3 attempts in a row',
    ],
  );
});
