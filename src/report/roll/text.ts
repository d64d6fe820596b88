import type { CounterName } from '../../site/counters.ts';
import { neededServers, type Batch, type Move, type RollWish } from '../../site/roll/next.ts';
import { outOfServiceMs, type Phase, type RollEvent, type RollRecord } from '../../site/roll/record.ts';
import { type RollReport, totalTraffic, type TotalTraffic } from '../../site/roll/report.ts';
import type { RollSurvey } from '../../site/roll/survey.ts';
import type { Palette } from '../palette.ts';
import { duration } from '../text.ts';

/** The order in which hosts are taken, what moves before, and what the site is left with meanwhile. */
export function timetableText(
  survey: RollSurvey,
  batches: readonly Batch[],
  { minAvailable }: RollWish,
  styles: Palette,
): string {
  const all = survey.servers.length;
  const needed = neededServers(minAvailable, all);
  const lines = batches.flatMap(({ hosts, drains, moves }, index) => {
    const out = survey.servers.filter(({ host }) => hosts.includes(host)).length;
    const rest = out === 0 ? '' : `; ${all - out} of ${all} servers stay in service`;
    const isBalancer = survey.balancers.some(({ host }) => hosts.includes(host));
    const how = isBalancer
      ? 'hands the site’s addresses over, is worked on, comes back'
      : drains.length > 0
        ? 'drained, worked on, put back'
        : 'worked on';
    return [
      ...moves.map((move) => `     ${moveText(move)}`),
      `${String(index + 1).padStart(3)}. ${styles.strong(hosts.join(', '))}: ${how}${rest}`,
    ];
  });
  return [
    ...lines,
    styles.quiet(
      `Before each: the others are healthy, replicas caught up and acknowledging, etcd keeps its majority${all > 0 ? `, ${needed} of ${all} servers in service` : ''}.`,
    ),
  ].join('\n');
}

function moveText({ from, among }: Move): string {
  return `the primary moves from ${from} to ${among.length > 0 ? `one of ${among.join(', ')}` : 'another instance'}`;
}

const DONE: Readonly<Record<Phase, string>> = {
  check: 'the others can do without it',
  move: 'moved away',
  drain: 'out of service',
  work: 'worked on',
  recover: 'well again',
  undrain: 'back in service',
  settle: 'settled',
};

/** A line for an event that is worth one. */
export function eventLine(event: RollEvent, record: RollRecord, styles: Palette): string | undefined {
  if (event.type !== 'phase') return undefined;
  const { host, phase, status, message } = event;
  const { ms } =
    record.hosts.find(({ name }) => name === host)?.phases.findLast((one) => one.phase === phase) ?? {};
  const took = ms === undefined ? '' : styles.quiet(`  ${duration(ms)}`);
  switch (status) {
    case 'running':
      return undefined;
    case 'waiting':
      return `  ${host}  ${styles.changed('waits')}: ${message ?? ''}`;
    case 'failed':
      return `  ${host}  ${styles.failed(`${phase} failed`)}: ${message ?? ''}`;
    case 'done':
      // That nothing was in the way is not worth a line.
      return phase === 'check' ? undefined : `  ${host}  ${styles.ok(message ?? DONE[phase])}${took}`;
  }
}

/** How it ended, how long each host was out, and what the balancers served meanwhile. */
export function reportText(report: RollReport, styles: Palette): string {
  const { record } = report;
  const now = record.endedAt ?? Date.now();
  const width = Math.max(...record.hosts.map(({ name }) => name.length));
  const lines = record.hosts.map((host) => {
    const out = outOfServiceMs(host, now);
    const how =
      host.state === 'done'
        ? styles.ok('done')
        : host.state === 'waiting'
          ? 'not begun'
          : styles.failed('not finished');
    return `  ${host.name.padEnd(width)}  ${how}${out > 0 ? `, out of service for ${duration(out)}` : ''}`;
  });
  return [
    ...lines,
    ...trafficLines(totalTraffic(report), styles),
    `${record.purpose}: ${record.outcome} after ${duration(now - record.startedAt)}`,
  ].join('\n');
}

function trafficLines(total: TotalTraffic | undefined, styles: Palette): readonly string[] {
  if (total === undefined) return [styles.quiet('how many requests came meanwhile is not known')];
  const { counts, slowestMs, slowestIsBound, notCounted } = total;
  const failed = counts['5xx'] === 0 ? styles.ok('0 failed') : styles.failed(`${counts['5xx']} failed (5xx)`);
  const slowest =
    slowestMs === undefined
      ? ''
      : `, ${slowestIsBound ? 'none slower than' : 'the slowest'} ${millisecondsText(slowestMs)}`;
  const others = (
    [
      ['retries', 'sent again'],
      ['redispatches', 'answered by another server'],
      ['connectionErrors', 'without a server'],
      ['responseErrors', 'broken off by a server'],
      ['clientAborts', 'given up by clients'],
      ['denied', 'denied'],
      ['invalid', 'invalid'],
    ] as const satisfies readonly (readonly [CounterName, string])[]
  ).flatMap(([name, what]) => (counts[name] > 0 ? [`${counts[name]} ${what}`] : []));
  return [
    `${counts.requests} requests, ${failed}${slowest}`,
    ...(others.length > 0 ? [`  ${others.join(', ')}`] : []),
    ...notCounted.map((sentence) => styles.quiet(`  not counted: ${sentence}`)),
  ];
}

/** `213 ms`, `12.3 s`. */
export function millisecondsText(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : duration(ms);
}
