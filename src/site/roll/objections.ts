import type { Problem } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import { finishProblem } from '../hand-over.ts';
import { type Batch, neededServers, type RollWish } from './next.ts';
import type { DatabaseView, InstanceView, RollSurvey } from './survey.ts';

// What speaks against taking hosts out now, and what is missing until a host that was worked on may come back. Most of it
// may pass by itself (a replica catches up), so who asks waits for a while.

/** What speaks against it. */
export interface Objection extends Problem {
  /** It is so however well everything is: to wait for it does not help. */
  readonly forGood?: true;
}

/**
 * Why the rest of the site could not carry what these hosts carry now; empty: they may go. `ours` are the hosts that this
 * roll has taken out of service itself.
 */
export function objections(
  survey: RollSurvey,
  batch: Batch,
  wish: RollWish,
  ours: ReadonlySet<string>,
): readonly Objection[] {
  const going = new Set(batch.hosts);
  return [
    ...ofOthersWork(survey, batch, ours),
    ...ofBalancers(survey, batch, going),
    ...(batch.drains.length > 0 ? ofServers(survey, wish, going) : []),
    ...survey.databases.flatMap((database) => ofDatabase(database, going)),
    ...ofStore(survey, going),
  ];
}

/** What would stop these batches for good, sooner or later. */
export function obstacles(
  survey: RollSurvey,
  batches: readonly Batch[],
  wish: RollWish,
  drainTimeoutMs: number,
): readonly Objection[] {
  const found = batches.flatMap((batch) => [
    ...objections(survey, batch, wish, new Set(batch.hosts)),
    ...ofTime(survey, batch, drainTimeoutMs),
  ]);
  const byMessage = new Map(found.filter(({ forGood }) => forGood).map((one) => [one.message, one]));
  return [...byMessage.values()];
}

/** What a host that was worked on still lacks, so that the next one may go. */
export function lacks(survey: RollSurvey, host: string): readonly Problem[] {
  const { balancers, databases, store } = survey;
  return [
    ...balancers
      .filter((one) => one.host === host && one.trouble !== undefined)
      .map(({ trouble = '' }) => ({ message: `${host}: ${trouble}` })),
    ...databases.flatMap((database) => ofInstances(database, host)),
    ...store
      .filter((one) => one.host === host && one.trouble !== undefined)
      .map(({ trouble = '' }) => ({ message: `etcd on ${host}: ${trouble}` })),
  ];
}

/** A host that somebody else works on would be worked on twice, and put back under their hands. */
function ofOthersWork(
  { servers, balancers }: RollSurvey,
  { hosts }: Batch,
  ours: ReadonlySet<string>,
): readonly Problem[] {
  const isTheirs = (host: string): boolean => hosts.includes(host) && !ours.has(host);
  return [
    ...servers.flatMap(({ host, drained }) =>
      drained === undefined || !isTheirs(host)
        ? []
        : [
            {
              message: `${host} was taken out of service by ${drained.by}: ${drained.reason}`,
              hint: `\`provision undrain ${host}\` when that is over, or leave it out with --hosts`,
            },
          ],
    ),
    ...balancers
      .filter(({ host, yields }) => yields && isTheirs(host))
      .map(({ host }) => ({
        message: `the balancer ${host} was told by somebody to give the site’s addresses away`,
        hint: `\`provision handover ${host} --stay\` when that is over, or leave it out with --hosts`,
      })),
  ];
}

function ofInstances(database: DatabaseView, host: string): readonly Problem[] {
  const mine = database.instances.filter((one) => one.host === host);
  if (mine.length === 0) return [];
  return [
    ...(database.trouble === undefined ? [] : [{ message: database.trouble }]),
    ...mine.flatMap((one) => ofReplica(database, one)),
    ...mine
      .filter(({ isPrimary, acknowledges }) => !isPrimary && !acknowledges && database.acksRequired > 0)
      .map(({ name }) => ({ message: `${name} on ${host} does not acknowledge yet` })),
  ];
}

function ofBalancers(
  { balancers }: RollSurvey,
  { drains, hosts }: Batch,
  going: ReadonlySet<string>,
): readonly Objection[] {
  const rest = balancers.filter(({ host }) => !going.has(host));
  const isLeaving = hosts.some((host) => balancers.some((one) => one.host === host));
  if (drains.length > 0 || isLeaving) {
    const sick = rest.flatMap(({ host, trouble }) =>
      trouble === undefined ? [] : [{ message: `the balancer ${host}: ${trouble}` }],
    );
    if (sick.length > 0) return sick;
  }
  return isLeaving && rest.length === 0
    ? [
        {
          message: `there is no other balancer than ${listed([...going])} that could take the site’s address`,
          hint: `leave it out: --hosts 'all:!${hosts[0] ?? ''}'`,
          forGood: true,
        },
      ]
    : [];
}

/** What a balancer that leaves cannot be told. */
function ofTime({ balancers }: RollSurvey, { hosts }: Batch, drainTimeoutMs: number): readonly Objection[] {
  return balancers.flatMap(({ host, longestFinish }) => {
    const problem = hosts.includes(host) ? finishProblem(host, longestFinish, drainTimeoutMs) : undefined;
    return problem === undefined ? [] : [{ ...problem, forGood: true as const }];
  });
}

function ofServers(
  { servers }: RollSurvey,
  { minAvailable }: RollWish,
  going: ReadonlySet<string>,
): readonly Objection[] {
  // Those that serve nothing take nothing away, however bad it is: to roll back may be what helps.
  if (servers.every(({ host, trouble }) => !going.has(host) || trouble !== undefined)) return [];
  const staying = servers.filter(({ host }) => !going.has(host));
  const left = staying.filter(({ trouble }) => trouble === undefined).length;
  const needed = neededServers(minAvailable, servers.length);
  if (left >= needed) return [];
  const out = staying.flatMap(({ host, trouble }) => (trouble === undefined ? [] : [`${host}: ${trouble}`]));
  return [
    {
      message: `without ${listed([...going])} only ${left} of ${servers.length} servers would be in service, and ${needed} have to be`,
      hint: [...out, 'see `provision drain --status`, or --min-available'].join('; '),
      ...(staying.length < needed ? { forGood: true as const } : {}),
    },
  ];
}

function ofDatabase(database: DatabaseView, going: ReadonlySet<string>): readonly Objection[] {
  const { instances, trouble, acksRequired } = database;
  const leaving = instances.filter(({ host }) => going.has(host));
  if (leaving.length === 0) return [];
  const staying = instances.filter(({ host }) => !going.has(host));
  const names = listed(leaving.map(({ name }) => name));
  if (staying.length === 0) {
    const message = `no other instance could become the primary in the place of ${names}`;
    return [{ message, forGood: true }];
  }
  // One of those that stay is the primary by then.
  const most = staying.length - 1;
  const tooFew = (ackers: number): string =>
    `without ${names} ${ackers} of ${acksRequired} replicas would acknowledge, and writes would wait`;
  if (most < acksRequired) return [{ message: tooFew(most), forGood: true }];
  if (trouble !== undefined) return [{ message: trouble, hint: 'see `failover status`' }];
  const sick = staying.flatMap((one) => ofReplica(database, one));
  if (sick.length > 0) return sick;
  // What it leaves behind is looked at once it has moved.
  if (leaving.some(({ isPrimary }) => isPrimary)) return [];
  const ackers = staying.filter(({ acknowledges, isPrimary }) => acknowledges && !isPrimary).length;
  return ackers >= acksRequired ? [] : [{ message: tooFew(ackers) }];
}

/** A replica that does not follow, or has not caught up. */
function ofReplica({ lagLimitSeconds }: DatabaseView, one: InstanceView): readonly Problem[] {
  const where = `${one.name} on ${one.host}`;
  if (one.trouble !== undefined)
    return [{ message: `${where}: ${one.trouble}`, hint: 'see `failover status`' }];
  if (one.isPrimary || (one.lagSeconds ?? 0) <= lagLimitSeconds) return [];
  return [
    {
      message: `${where} is ${one.lagSeconds ?? 0} s behind, and may be ${lagLimitSeconds} s`,
      hint: 'see `failover lag`',
    },
  ];
}

function ofStore(survey: RollSurvey, going: ReadonlySet<string>): readonly Objection[] {
  const { servers, balancers, databases, store } = survey;
  const known = new Set(
    [...servers, ...balancers, ...databases.flatMap(({ instances }) => instances)].map(({ host }) => host),
  );
  // A member on a host of its own, or of which that is not known, may be what was worked on last.
  const elsewhere = store.flatMap(({ host, trouble }) =>
    known.has(host) || going.has(host) || trouble === undefined
      ? []
      : [{ message: `etcd at ${host}: ${trouble}` }],
  );
  if (!store.some(({ host }) => going.has(host))) return elsewhere;
  const staying = store.filter(({ host }) => !going.has(host));
  const left = staying.filter(({ trouble }) => trouble === undefined).length;
  const needed = Math.floor(store.length / 2) + 1;
  if (left >= needed) return [];
  const sick = store.flatMap(({ host, trouble }) =>
    trouble === undefined || going.has(host) ? [] : [`${host}: ${trouble}`],
  );
  return [
    {
      message: `without ${listed([...going])} only ${left} of ${store.length} members of etcd would be up, and ${needed} have to be: failover could not work`,
      ...(sick.length > 0 ? { hint: sick.join('; ') } : {}),
      ...(staying.length < needed ? { forGood: true as const } : {}),
    },
  ];
}
