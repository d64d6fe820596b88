import test from 'ava';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Amount, isServer, timetable } from '../../../src/site/roll/next.ts';
import { lacks, objections, obstacles } from '../../../src/site/roll/objections.ts';
import type { InstanceView, RollSurvey } from '../../../src/site/roll/survey.ts';
import { survey, wish } from './support.ts';

interface Case {
  readonly name: string;
  readonly hosts: readonly string[];
  /** What is wrong with whom. */
  readonly servers?: Readonly<Record<string, string>>;
  readonly balancers?: Readonly<Record<string, string>>;
  readonly store?: Readonly<Record<string, string>>;
  readonly instances?: Readonly<Record<string, Partial<InstanceView>>>;
  readonly database?: string;
  /** Who was taken out of service, by ann@desk. */
  readonly drained?: readonly string[];
  /** Those that this roll has taken out itself. */
  readonly ours?: readonly string[];
  readonly acksRequired?: number;
  readonly withoutBalancer?: string;
  readonly minAvailable?: Amount;
  readonly objections: readonly string[];
}

const CASES = JSON.parse(
  readFileSync(join(import.meta.dirname, 'cases', 'objections.json'), 'utf8'),
) as readonly Case[];

for (const one of CASES) {
  test(`may a host go? ${one.name}`, (t) => {
    const site = siteOf(one);
    const batch = {
      hosts: one.hosts,
      drains: one.hosts.filter((host) => isServer(site, host)),
      moves: [],
    };
    t.deepEqual(
      objections(site, batch, wish({ minAvailable: one.minAvailable }), new Set(one.ours)).map(
        ({ message }) => message,
      ),
      one.objections,
    );
  });
}

test('the host of the primary may go when another instance can take its place', (t) => {
  const batch = { hosts: ['web1'], drains: ['web1'], moves: [] };
  t.deepEqual(objections(survey(), batch, wish(), new Set()), []);
  const [database] = survey().databases;
  const alone = survey({
    databases: [{ ...database!, instances: database!.instances.slice(0, 1) }],
  });
  t.deepEqual(
    objections(alone, batch, wish(), new Set()).map(({ message }) => message),
    ['no other instance could become the primary in the place of db1'],
  );
});

/** What stops a roll of all hosts of a site however well they are. */
function stopping(site: RollSurvey, hosts: readonly string[], drainTimeoutMs = 60_000): readonly string[] {
  const all = wish({ hosts });
  const batches = timetable(site, all, { done: new Set(), begun: new Set() });
  return obstacles(site, batches, all, drainTimeoutMs).map(({ message }) => message);
}

test('what no waiting helps against is known of all hosts before the first one goes', (t) => {
  const whole = survey();
  const [database] = whole.databases;
  const some = (hosts: readonly string[]): RollSurvey => ({
    servers: whole.servers.filter(({ host }) => hosts.includes(host)),
    balancers: whole.balancers.filter(({ host }) => hosts.includes(host)),
    databases: [{ ...database!, instances: database!.instances.filter(({ host }) => hosts.includes(host)) }],
    store: whole.store.filter(({ host }) => hosts.includes(host)),
  });
  const roll = (...hosts: readonly string[]): readonly string[] => stopping(some(hosts), hosts);
  t.deepEqual(roll('lb1', 'lb2', 'web1', 'web2', 'web3'), []);
  t.deepEqual(roll('lb1', 'web1', 'web2', 'web3'), [
    'there is no other balancer than lb1 that could take the site’s address',
  ]);
  t.deepEqual(roll('lb1', 'lb2', 'web1'), [
    'without web1 only 0 of 1 servers would be in service, and 1 have to be',
    'no other instance could become the primary in the place of db1',
    'without web1 only 0 of 1 members of etcd would be up, and 1 have to be: failover could not work',
  ]);
  t.deepEqual(
    roll('lb1', 'lb2', 'web1', 'web2').filter((message) => message.startsWith('without db')),
    [
      'without db2 0 of 1 replicas would acknowledge, and writes would wait',
      'without db1 0 of 1 replicas would acknowledge, and writes would wait',
    ],
  );
});

test('a balancer cannot give its connections longer than HAProxy does, and a server can', (t) => {
  t.deepEqual(stopping(survey(), ['lb1', 'web2'], 901_000), [
    'connections at lb1 cannot be given 901 s: its HAProxy ends them after 900 s',
  ]);
  t.deepEqual(stopping(survey(), ['web2'], 901_000), []);
});

test('what may pass is no obstacle', (t) => {
  const site = siteOf({
    name: '',
    hosts: [],
    servers: { web3: 'lb1 finds L4CON' },
    balancers: { lb2: 'HAProxy does not answer' },
    instances: { db3: { acknowledges: false, lagSeconds: 60 } },
    store: { web3: 'it says 503' },
    objections: [],
  });
  t.deepEqual(stopping(site, ['lb1', 'lb2', 'web1', 'web2', 'web3']), []);
});

test('a host is well again when its balancer, its instance and its member of etcd are', (t) => {
  t.deepEqual(lacks(survey(), 'web2'), []);
  const sick = siteOf({
    name: '',
    hosts: [],
    instances: { db2: { acknowledges: false, lagSeconds: 60 } },
    store: { web2: 'it says 503' },
    objections: [],
  });
  t.deepEqual(
    lacks(sick, 'web2').map(({ message }) => message),
    [
      'db2 on web2 is 60 s behind, and may be 10 s',
      'db2 on web2 does not acknowledge yet',
      'etcd on web2: it says 503',
    ],
  );
  t.deepEqual(lacks(sick, 'web3'), [], 'what is wrong with others does not keep it from coming back');
});

function siteOf(one: Case): RollSurvey {
  const base = survey();
  const troubled = <T extends { readonly host: string }>(
    all: readonly T[],
    troubles: Case['servers'],
  ): readonly T[] => all.map((each) => ({ ...each, trouble: troubles?.[each.host] }));
  return {
    servers: troubled(base.servers, one.servers).map((server) =>
      one.drained?.includes(server.host)
        ? {
            ...server,
            trouble: 'drained by ann@desk',
            drained: { by: 'ann@desk', since: 0, reason: 'new disk' },
          }
        : server,
    ),
    balancers: troubled(base.balancers, one.balancers).filter(({ host }) => host !== one.withoutBalancer),
    databases: base.databases.map((database) => ({
      ...database,
      trouble: one.database,
      acksRequired: one.acksRequired ?? database.acksRequired,
      instances: database.instances.map((instance) => ({ ...instance, ...one.instances?.[instance.name] })),
    })),
    store: troubled(base.store, one.store),
  };
}
