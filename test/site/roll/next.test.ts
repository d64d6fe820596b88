import test from 'ava';
import fc from 'fast-check';

import { amount, type RollWish, timetable } from '../../../src/site/roll/next.ts';
import type { RollSurvey } from '../../../src/site/roll/survey.ts';
import { ALL, survey, wish } from './support.ts';

const NOBODY: ReadonlySet<string> = new Set();
const FRESH = { done: NOBODY, begun: NOBODY };

const hostsOf = (site: RollSurvey, meant: RollWish, state = FRESH): readonly (readonly string[])[] =>
  timetable(site, meant, state).map(({ hosts }) => hosts);

test('hosts of neither go first, then replicas, the primary, the standby balancer, and the holder of the address', (t) => {
  t.deepEqual(hostsOf(survey(), wish({ hosts: ['mon1', ...ALL] })), [
    ['mon1'],
    ['web2'],
    ['web3'],
    ['web1'],
    ['lb2'],
    ['lb1'],
  ]);
});

test('several servers at a time, but the primary and balancers alone', (t) => {
  t.deepEqual(hostsOf(survey(), wish({ serial: { kind: 'number', number: 2 } })), [
    ['web2', 'web3'],
    ['web1'],
    ['lb2'],
    ['lb1'],
  ]);
});

test('what was begun comes first', (t) => {
  const state = { done: new Set(['web2']), begun: new Set(['web1']) };
  t.deepEqual(hostsOf(survey(), wish(), state), [['web1'], ['web3'], ['lb2'], ['lb1']]);
});

test('a server that is not well goes before those that are', (t) => {
  const servers = survey().servers.map((one) => ({
    ...one,
    trouble: one.host === 'web3' ? 'L4CON' : undefined,
  }));
  t.deepEqual(hostsOf(survey({ servers }), wish()), [['web3'], ['web2'], ['web1'], ['lb2'], ['lb1']]);
});

test('the primary moves to an instance on a host that is done', (t) => {
  const moves = timetable(survey(), wish(), FRESH).flatMap((batch) => batch.moves);
  t.deepEqual(moves, [{ cluster: 'main', from: 'db1', host: 'web1', among: ['db2', 'db3'] }]);
});

test('a primary whose host goes alone moves to whoever can', (t) => {
  const [batch] = timetable(survey(), wish({ hosts: ['web1'] }), FRESH);
  t.deepEqual(batch?.moves, [{ cluster: 'main', from: 'db1', host: 'web1', among: [] }]);
});

test('a share is rounded down, and a batch has one host at least', (t) => {
  t.is(amount({ kind: 'percent', percent: 50 }, 3), 1);
  t.is(amount({ kind: 'percent', percent: 10 }, 3), 0);
  t.deepEqual(
    hostsOf(survey(), wish({ hosts: ['web2', 'web3'], serial: { kind: 'percent', percent: 10 } })),
    [['web2'], ['web3']],
  );
});

test('whatever the site and wherever a roll was cut off, each host goes once, and nothing that serves goes with it', (t) => {
  const names = fc.constantFrom(...ALL, 'mon1');
  const meant = fc.record({
    hosts: fc.uniqueArray(names, { minLength: 1 }),
    serial: fc.record({ kind: fc.constant('number' as const), number: fc.integer({ min: 1, max: 4 }) }),
    minAvailable: fc.constant(undefined),
  });
  const site = fc.tuple(fc.constantFrom('db1', 'db2', 'db3'), fc.constantFrom('lb1', 'lb2'));
  fc.assert(
    fc.property(meant, site, fc.array(names), fc.array(names), (one, [primary, holder], done, begun) => {
      const base = survey();
      const now = survey({
        databases: base.databases.map((database) => ({
          ...database,
          instances: database.instances.map((each) => ({ ...each, isPrimary: each.name === primary })),
        })),
        balancers: base.balancers.map((each) => ({
          ...each,
          holds: each.host === holder ? ['10.0.0.100'] : [],
        })),
      });
      const state = { done: new Set(done), begun: new Set(begun.filter((host) => !done.includes(host))) };
      const batches = timetable(now, one, state);
      const gone = batches.flatMap(({ hosts }) => hosts);
      t.deepEqual([...gone].sort(), one.hosts.filter((host) => !state.done.has(host)).sort());
      for (const { hosts, drains, moves } of batches) {
        t.true(hosts.length <= one.serial.number);
        t.true(hosts.length === 1 || hosts.every((host) => host.startsWith('web')), 'balancers go alone');
        t.deepEqual(
          drains,
          hosts.filter((host) => host !== 'mon1'),
        );
        t.true(moves.length === 0 || hosts.length === 1, 'what has to move away has its host alone');
      }
      const first = batches[0]?.hosts ?? [];
      const open = [...state.begun].filter((host) => one.hosts.includes(host));
      t.true(
        open.length === 0 || first.every((host) => state.begun.has(host)),
        'what was begun is finished first',
      );
    }),
  );
});
