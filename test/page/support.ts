import { statusJson } from '../../src/failover/output/json.ts';
import { problems } from '../../src/failover/problems/problems.ts';
import type { BalancerState, DatabaseState, PageState } from '../../src/page/model/state.ts';
import type { Observation } from '../../src/page/observation.ts';
import { describe, NOW, SETTINGS } from '../failover/support/topology.ts';

/** A database in the notation of the tests of the failover: `db1 primary 1:1-100`, `db2 <db1 1:1-98`. */
export function database(
  instances: readonly string[],
  change: Partial<DatabaseState> & { readonly memory?: Parameters<typeof describe>[0]['memory'] } = {},
): DatabaseState {
  const { memory = {}, ...others } = change;
  const topology = describe({ instances, memory });
  return {
    name: topology.cluster,
    status: statusJson(topology, problems(topology, SETTINGS), 0),
    failure: null,
    storeFailure: null,
    silentWatchers: [],
    etcd: [],
    history: [],
    ...others,
  };
}

export const HEALTHY = ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1 1:1-100'];

type Server = BalancerState['servers'][number];

/** A server as a balancer has it: up, unless the change says otherwise. */
export function server(name: string, change: Partial<Server> = {}): Server {
  return { name, part: 'requests', isOut: false, passes: true, check: 'L7OK', current: 0, ...change };
}

/** A balancer with three servers that work; `holds`: the address. */
export function balancer(
  name: string,
  holds: boolean | null,
  change: Partial<BalancerState> = {},
): BalancerState {
  return {
    name,
    silence: null,
    addresses: [{ address: '203.0.113.10', held: holds }],
    servers: ['web1', 'web2', 'web3'].map((each) => server(each)),
    ...change,
  };
}

/** A site where all is well. `primary`: who it is, `history`: whether anything has happened yet. */
export function pageState({
  primary = 'db1',
  history = false,
  ...changes
}: Partial<PageState> & { readonly primary?: string; readonly history?: boolean } = {}): PageState {
  const others = ['db1', 'db2', 'db3'].filter((name) => name !== primary);
  const entries = history ? [change({ at: new Date(NOW - 4_000_000).toISOString() }), failover()] : [];
  const healthy = database(
    [`${primary} primary 1:1-5021`, ...others.map((name) => `${name} <${primary} 1:1-5021`)],
    {
      history: entries,
      etcd: ['10.20.0.21:2379', '10.20.0.22:2379', '10.20.0.23:2379'].map((member) => ({
        member,
        trouble: null,
      })),
      memory: { watchers: { 'watch@lb1': NOW, 'watch@lb2': NOW } },
    },
  );
  return {
    at: NOW,
    from: 'lb1',
    databases: [healthy],
    balancers: [balancer('lb1', true), balancer('lb2', false)],
    drained: [],
    ...changes,
  };
}

/** A site with a bit of everything that may be wrong: in a roll, with a replica that is lost, in the middle of a change. */
export function troubledState(): PageState {
  const state = database(['db1 primary 1:1-5021', 'db2 <db1 1:1-4800 lag=42', 'db3 dead=refused'], {
    history: [
      change({
        id: 'three',
        outcome: 'running',
        at: new Date(NOW - 2000).toISOString(),
        steps: [
          { name: 'hold new writers at the balancers', instance: null, status: 'done', ms: 8 },
          { name: 'make db1 read-only', instance: 'db1', status: 'done', ms: 12 },
          { name: 'wait until db2 has everything', instance: 'db2', status: 'running', ms: 0 },
        ],
      }),
      failover(),
      change({
        id: 'one',
        outcome: 'undone',
        message: 'db2 did not catch up within 10 s',
        at: new Date(NOW - 90_400_000).toISOString(),
        steps: [{ name: 'make db1 read-only', instance: 'db1', status: 'undone', ms: 12 }],
      }),
    ],
    etcd: [
      { member: '10.20.0.21:2379', trouble: null },
      { member: '10.20.0.22:2379', trouble: null },
      { member: '10.20.0.23:2379', trouble: 'connect ECONNREFUSED' },
    ],
    memory: {
      watchers: { 'watch@lb1': NOW },
      paused: { by: 'anna@ops', reason: 'moving the rack', at: NOW, until: NOW + 7_200_000 },
    },
    silentWatchers: ['watch@lb2'],
  });
  const servers = [
    server('web1', { current: 12 }),
    server('web2', { isOut: true, current: 1 }),
    server('web3', { passes: false, check: 'L4CON' }),
  ];
  return pageState({
    databases: [state],
    balancers: [
      balancer('lb1', true, { servers }),
      balancer('lb2', null, { silence: 'no answer', servers: [] }),
    ],
    drained: [{ server: 'web2', by: 'anna@ops', since: NOW - 60_000, reason: 'roll playbooks/kernel.yml' }],
  });
}

/** What a watch has done the day before. */
function failover(): DatabaseState['history'][number] {
  return change({
    id: 'two',
    kind: 'failover',
    who: 'watch@lb2',
    reason: 'db2 is dead',
    from: 'db2',
    to: 'db1',
    ms: 1240,
    at: new Date(NOW - 90_000_000).toISOString(),
  });
}

/** An observation that the test moves. */
export interface ByHand extends Observation {
  change(state: PageState): void;
}

export function byHand(begin: PageState = pageState()): ByHand {
  let current = begin;
  let news = Promise.withResolvers<void>();
  let watchers = 0;
  return {
    async *states(signal) {
      const ended = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => ended.resolve(), { once: true });
      watchers++;
      try {
        while (!signal.aborted) {
          const next = news.promise;
          yield current;
          await Promise.race([next, ended.promise]);
        }
      } finally {
        watchers--;
      }
    },
    get watchers() {
      return watchers;
    },
    close() {},
    change(state) {
      current = state;
      news.resolve();
      news = Promise.withResolvers();
    },
  };
}

/** An entry of the journal. */
export function change(
  with_: Partial<DatabaseState['history'][number]> = {},
): DatabaseState['history'][number] {
  return {
    id: 'one',
    epoch: 2,
    at: '2026-11-29T10:00:00.000Z',
    who: 'anna@ops',
    kind: 'switchover',
    reason: 'failover promote db2',
    from: 'db1',
    to: 'db2',
    outcome: 'done',
    lostGtids: '',
    gtids: {},
    ms: 184,
    message: null,
    steps: [
      { name: 'make db1 read-only', instance: 'db1', status: 'done', ms: 12 },
      { name: 'open', instance: 'db2', status: 'done', ms: 1500 },
    ],
    ...with_,
  };
}
