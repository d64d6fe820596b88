import { type HostRecord, outOfServiceMs, type RollRecord } from '../../site/roll/record.ts';
import type { Palette } from '../palette.ts';
import { clock, count, duration } from '../text.ts';
import { offsetText } from './svg.ts';
import { inOrderOfTime } from './timeline.ts';

/** A roll on one line: when, what, how it ended, by whom, how many hosts, and its name. */
export function rollLine(record: RollRecord, styles: Palette): string {
  const { id, purpose, who, startedAt, hosts } = record;
  const done = hosts.filter(({ state }) => state === 'done').length;
  return `${clock(startedAt)}  ${styles.strong(purpose)}  ${endText(record, styles)}  ${done} of ${count(hosts.length, 'host')}  ${who}  ${styles.quiet(id)}`;
}

/** A roll in full: of each host its phases, when they began and how long they took. */
export function rollDetails(record: RollRecord, now: number, styles: Palette): string {
  const { startedAt, endedAt = now, message } = record;
  return [
    rollLine(record, styles),
    ...(message === undefined ? [] : message.split('\n').map((line) => styles.failed(`  ${line}`))),
    ...inOrderOfTime(record.hosts).map((host) => hostText(host, startedAt, endedAt, styles)),
  ].join('\n');
}

function hostText(host: HostRecord, startedAt: number, endedAt: number, styles: Palette): string {
  const out = outOfServiceMs(host, endedAt);
  const state = { waiting: 'not begun', begun: 'not finished', worked: 'not finished', done: 'done' }[
    host.state
  ];
  const lines = host.phases.map(({ phase, at, ms, status, message = '' }) => {
    const took = ms === undefined ? 'cut off' : duration(ms);
    const word = status === 'failed' ? styles.failed(`${phase} failed`.padEnd(14)) : phase.padEnd(14);
    return `    ${offsetText(at - startedAt).padStart(7)}  ${took.padStart(9)}  ${word}  ${message.replaceAll('\n', '; ')}`.trimEnd();
  });
  return [
    `  ${styles.strong(host.name)}  ${state}${out > 0 ? `, out of service for ${duration(out)}` : ''}`,
    ...lines,
  ].join('\n');
}

function endText({ outcome, startedAt, endedAt }: RollRecord, styles: Palette): string {
  const paint = {
    done: styles.ok,
    stopped: styles.failed,
    interrupted: styles.changed,
    running: styles.changed,
  };
  // It runs now, or whoever rolled was killed: nobody wrote its end.
  const word = outcome === 'running' ? 'not at its end' : outcome;
  const took = endedAt === undefined ? '' : ` in ${duration(endedAt - startedAt)}`;
  return `${paint[outcome](word)}${took}`;
}
