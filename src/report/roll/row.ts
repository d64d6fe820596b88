import { outOfServiceMs, type HostRecord, type Phase } from '../../site/roll/record.ts';
import type { Batch, Move } from '../../site/roll/next.ts';
import type { RollSurvey } from '../../site/roll/survey.ts';
import type { Palette } from '../palette.ts';
import { duration } from '../text.ts';

/** What a row is made of. */
export interface RowFacts {
  readonly host: HostRecord;
  /** The last look at the site; undefined before the first. */
  readonly survey: RollSurvey | undefined;
  readonly now: number;
  /** What its phase waits for, or which task runs on it. */
  readonly doing: string;
  /** Whether it is among those that go next. */
  readonly isNext: boolean;
  /** Primaries that move away from it before it goes. */
  readonly moves: readonly Move[];
}

const WIDTHS = { phase: 7, out: 15, requests: 12, database: 11 } as const;

/** A host on one line: its phase, how long it is out, its requests in flight, how its database is, what it does or what is next. */
export function rowText({ host, survey, now, doing, isNext, moves }: RowFacts, styles: Palette): string {
  const phase = runningPhase(host);
  const word =
    phase ??
    (host.state === 'waiting' ? (isNext ? 'next' : 'waits') : host.state === 'done' ? 'done' : 'out');
  const out = outOfServiceMs(host, now);
  const detail =
    phase === undefined && host.state === 'waiting'
      ? moves.length > 0
        ? 'the primary moves away first'
        : ''
      : doing;
  const cells = [
    paintOf(word, styles)(word.padEnd(WIDTHS.phase)),
    (out > 0 ? `out ${duration(out)}` : '').padEnd(WIDTHS.out),
    requestsText(host.name, survey).padEnd(WIDTHS.requests),
    databaseText(host.name, survey).padEnd(WIDTHS.database),
    styles.quiet(detail),
  ];
  return cells.join('  ').trimEnd();
}

/** The phase that a host is in; undefined between two of them. */
export function runningPhase({ phases }: HostRecord): Phase | undefined {
  return phases.findLast(({ status }) => status === 'running')?.phase;
}

/** The hosts that have not been begun, in the order in which they go; those of the first batch are next. */
export function upcoming(
  batches: readonly Batch[],
  hosts: readonly HostRecord[],
): { readonly next: readonly string[]; readonly later: number } {
  const waiting = new Set(
    hosts
      .filter((host) => host.state === 'waiting' && runningPhase(host) === undefined)
      .map(({ name }) => name),
  );
  const open = batches
    .map((batch) => batch.hosts.filter((host) => waiting.has(host)))
    .filter((names) => names.length > 0);
  const [next = [], ...later] = open;
  return { next, later: later.flat().length };
}

function paintOf(word: string, styles: Palette): (text: string) => string {
  if (word === 'done') return styles.ok;
  return word === 'next' || word === 'waits' ? styles.quiet : styles.changed;
}

function requestsText(host: string, survey: RollSurvey | undefined): string {
  const server = survey?.servers.find((one) => one.host === host);
  return server === undefined ? '' : `${server.requests} in flight`;
}

function databaseText(host: string, survey: RollSurvey | undefined): string {
  const instances = survey?.databases.flatMap((one) => one.instances.filter((each) => each.host === host));
  if (instances === undefined || instances.length === 0) return addressText(host, survey);
  if (instances.some(({ isPrimary }) => isPrimary)) return 'primary';
  if (instances.some(({ trouble, lagSeconds }) => trouble !== undefined || lagSeconds === undefined))
    return 'lag ?';
  return `lag ${Math.max(...instances.map(({ lagSeconds = 0 }) => lagSeconds))} s`;
}

function addressText(host: string, survey: RollSurvey | undefined): string {
  const balancer = survey?.balancers.find((one) => one.host === host);
  if (balancer === undefined) return '';
  return balancer.holds.length > 0 ? 'has address' : 'balancer';
}
