import type { BalancerView, DatabaseView, InstanceView, RollSurvey } from './survey.ts';

// Which hosts a roll takes next, and what has to move away from them first.
//
// Invariant: at every moment the hosts that are out are those of one batch, and what is on them (the primary, the site's
// addresses) was moved before. So a roll that was cut off anywhere goes on from what the site says and the names of those
// that are done.

/** How many: a number, or a share of all in percent. */
export type Amount =
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'percent'; readonly percent: number };

export interface RollWish {
  /** In the order of the inventory. */
  readonly hosts: readonly string[];
  /** How many servers are worked on at a time. */
  readonly serial: Amount;
  /** How many servers have to stay in service; undefined: half of them, rounded up. */
  readonly minAvailable: Amount | undefined;
}

export interface RollState {
  readonly done: ReadonlySet<string>;
  /** Those of a batch that was begun and not ended. */
  readonly begun: ReadonlySet<string>;
}

/** A primary that moves before its host is worked on. */
export interface Move {
  readonly cluster: string;
  /** The instance that is the primary. */
  readonly from: string;
  readonly host: string;
  /** Instances on hosts that are done: one of them, when it can. None: whichever can. */
  readonly among: readonly string[];
}

export interface Batch {
  readonly hosts: readonly string[];
  /** Those of them that are taken out of service: servers, and balancers, which hand the site's addresses over. */
  readonly drains: readonly string[];
  /** Empty: they may be worked on as they are. */
  readonly moves: readonly Move[];
}

/** The next batch, by what the site says now; undefined when all are done. */
export function nextBatch(survey: RollSurvey, wish: RollWish, state: RollState): Batch | undefined {
  const left = inOrder(survey, wish, state);
  const [first] = left;
  if (first === undefined) return undefined;
  const rank = rankOf(survey, first);
  const isAlone = rank === RANKS.primary || rank === RANKS.balancer || rank === RANKS.holder;
  const most = isAlone
    ? 1
    : Math.max(1, amount(wish.serial, wish.hosts.filter((host) => isServer(survey, host)).length));
  const isBegun = state.begun.has(first);
  const hosts = left
    .filter((host) => rankOf(survey, host) === rank && state.begun.has(host) === isBegun)
    .slice(0, most);
  return {
    hosts,
    drains: hosts.filter((host) => isServer(survey, host) || balancerAt(survey, host) !== undefined),
    moves: hosts.flatMap((host) => movesOf(survey, host, state.done)),
  };
}

/** The batches that follow one another if nothing goes wrong and nobody else changes anything. */
export function timetable(survey: RollSurvey, wish: RollWish, state: RollState): readonly Batch[] {
  const batches: Batch[] = [];
  let now = survey;
  let { done, begun } = state;
  for (;;) {
    const batch = nextBatch(now, wish, { done, begun });
    if (batch === undefined) return batches;
    batches.push(batch);
    now = batch.moves.reduce(afterMove, now);
    done = new Set([...done, ...batch.hosts]);
    begun = new Set([...begun].filter((host) => !done.has(host)));
  }
}

/** How many servers have to stay in service: half of them, unless something else is wished; a share is rounded up. */
export function neededServers(minAvailable: Amount | undefined, all: number): number {
  if (minAvailable === undefined) return Math.ceil(all / 2);
  return minAvailable.kind === 'number' ? minAvailable.number : Math.ceil((all * minAvailable.percent) / 100);
}

/** How many of `all` are meant; a share is rounded down, as Ansible rounds `serial`. */
export function amount(meant: Amount, all: number): number {
  return meant.kind === 'number' ? meant.number : Math.floor((all * meant.percent) / 100);
}

/** Whether the balancers send it anything. */
export function isServer(survey: RollSurvey, host: string): boolean {
  return survey.servers.some((one) => one.host === host) || instancesOn(survey, host).length > 0;
}

function instancesOn({ databases }: RollSurvey, host: string): readonly InstanceView[] {
  return databases.flatMap(({ instances }) => instances.filter((one) => one.host === host));
}

/** Ascending: what breaks there harms the site more and more. */
const RANKS = { other: 0, server: 1, primary: 2, balancer: 3, holder: 4 } as const;
type Rank = (typeof RANKS)[keyof typeof RANKS];

function inOrder(survey: RollSurvey, { hosts }: RollWish, { done, begun }: RollState): readonly string[] {
  const left = hosts.filter((host) => !done.has(host));
  const place = (host: string): number => {
    if (begun.has(host)) return -1;
    // One that serves nothing takes nothing away, and is in the way of the others.
    return rankOf(survey, host) - (isSick(survey, host) ? 0.5 : 0);
  };
  return [...left].sort((a, b) => place(a) - place(b));
}

function isSick(survey: RollSurvey, host: string): boolean {
  return (
    survey.servers.some((one) => one.host === host && one.trouble !== undefined) ||
    survey.balancers.some((one) => one.host === host && one.trouble !== undefined) ||
    instancesOn(survey, host).some(({ trouble }) => trouble !== undefined)
  );
}

function rankOf(survey: RollSurvey, host: string): Rank {
  const balancer = balancerAt(survey, host);
  if (balancer !== undefined) return balancer.holds.length > 0 ? RANKS.holder : RANKS.balancer;
  if (instancesOn(survey, host).some(({ isPrimary }) => isPrimary)) return RANKS.primary;
  return isServer(survey, host) ? RANKS.server : RANKS.other;
}

function balancerAt({ balancers }: RollSurvey, host: string): BalancerView | undefined {
  return balancers.find((one) => one.host === host);
}

function movesOf({ databases }: RollSurvey, host: string, done: ReadonlySet<string>): readonly Move[] {
  return databases.flatMap(({ cluster, instances }) =>
    instances
      .filter((one) => one.host === host && one.isPrimary)
      .map(({ name }) => ({
        cluster,
        from: name,
        host,
        among: instances.filter((one) => one.host !== host && done.has(one.host)).map((one) => one.name),
      })),
  );
}

function afterMove(survey: RollSurvey, move: Move): RollSurvey {
  const databases = survey.databases.map((one) =>
    one.cluster === move.cluster ? withPrimaryMoved(one, move) : one,
  );
  return { ...survey, databases };
}

function withPrimaryMoved(database: DatabaseView, { host, among }: Move): DatabaseView {
  const to = among[0] ?? database.instances.find((one) => one.host !== host)?.name;
  return {
    ...database,
    instances: database.instances.map((one) => ({ ...one, isPrimary: one.name === to })),
  };
}
