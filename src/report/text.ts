import { stripVTControlCharacters } from 'node:util';

import type { HostCounts, RunEvent } from '../run/events.ts';
import type { Recap } from './exit-code.ts';
import type { Palette } from './palette.ts';

export type PlayEvent = Extract<RunEvent, { type: 'play' }>;
export type TaskEvent = Extract<RunEvent, { type: 'task' }>;
export type ResultEvent = Extract<RunEvent, { type: 'result' }>;
export type WarningEvent = Extract<RunEvent, { type: 'warning' }>;

/** Beyond this many hosts the recap leaves out those where nothing happened. */
const RECAP_HOSTS = 20;

/** A play's name with the number of its batch. */
export function playTitle(play: PlayEvent): string {
  return play.batch === undefined
    ? play.name
    : `${play.name} (batch ${play.batch.number} of ${play.batch.of})`;
}

/** A task's name with its role, as Ansible prints it. */
export function taskTitle(task: Pick<TaskEvent, 'name' | 'role' | 'module'>): string {
  const name = task.name === '' ? task.module : task.name;
  return task.role === undefined ? name : `${task.role} : ${name}`;
}

/** Whether a reader wants to see this result without asking for more: something changed, failed or was said. */
export function isNotable(result: ResultEvent): boolean {
  if (result.status !== 'ok') return result.status !== 'skipped';
  return result.message !== undefined && /(^|\.)debug$/.test(result.module);
}

/** What a host said, without anything that could move the cursor or change the terminal. */
export function harmless(text: string): string {
  // eslint-disable-next-line no-control-regex
  return stripVTControlCharacters(text)
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '');
}

export function indent(text: string, by: string): string {
  return text
    .replace(/\n+$/, '')
    .split('\n')
    .map((line) => (line === '' ? '' : by + line))
    .join('\n');
}

/** `0.4 s`, `12.3 s`, `4 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `2026-11-29 02:12:46Z`. */
export function clock(at: number): string {
  return new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}

/** `1 host`, `3 hosts`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** One line of a warning, with the place it is about. */
export function warningText(warning: WarningEvent): string {
  const { at } = warning;
  const where = at === undefined ? '' : ` (${at.file}:${at.line}:${at.column})`;
  return `[warning] ${warning.message}${where}`;
}

/** Ansible's recap, a line for each host, and a sentence about the whole. */
export function recapText(
  recap: Recap,
  styles: Palette,
  options: { check: boolean; verbose: number },
): string {
  const hosts = Object.entries(recap.hosts);
  const shown =
    hosts.length > RECAP_HOSTS && options.verbose === 0
      ? hosts.filter(([, counts]) => isEventful(counts))
      : hosts;
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  const lines = shown.map(
    ([name, counts]) => `${hostStyle(counts, styles)(name.padEnd(width))} : ${countsText(counts, styles)}`,
  );
  if (shown.length < hosts.length) {
    lines.push(styles.quiet(`${count(hosts.length - shown.length, 'other host')}: nothing to change`));
  }
  lines.push('', sentence(recap, styles, options.check));
  return lines.join('\n');
}

function isEventful(counts: HostCounts): boolean {
  return counts.changed + counts.failed + counts.unreachable + counts.rescued + counts.ignored > 0;
}

function hostStyle(counts: HostCounts, styles: Palette): (text: string) => string {
  if (counts.failed > 0 || counts.unreachable > 0) return styles.failed;
  return counts.changed > 0 ? styles.changed : styles.ok;
}

function countsText(counts: HostCounts, styles: Palette): string {
  const columns: readonly (readonly [keyof HostCounts, number, (text: string) => string])[] = [
    ['ok', 4, styles.ok],
    ['changed', 4, styles.changed],
    ['unreachable', 4, styles.failed],
    ['failed', 4, styles.failed],
    ['skipped', 4, styles.quiet],
    ['rescued', 4, styles.changed],
    ['ignored', 4, styles.changed],
  ];
  return columns
    .map(([name, width, paint]) => {
      const cell = `${name}=${String(counts[name]).padEnd(width)}`;
      return counts[name] > 0 ? paint(cell) : cell;
    })
    .join(' ')
    .trimEnd();
}

function sentence(recap: Recap, styles: Palette, check: boolean): string {
  const hosts = Object.values(recap.hosts);
  const sum = (name: keyof HostCounts): number => hosts.reduce((total, counts) => total + counts[name], 0);
  const having = (name: keyof HostCounts): number => hosts.filter((counts) => counts[name] > 0).length;
  const parts: string[] = [];
  if (recap.interrupted) parts.push(styles.failed('interrupted'));
  if (having('unreachable') > 0)
    parts.push(styles.failed(`${count(having('unreachable'), 'host')} unreachable`));
  if (having('failed') > 0) parts.push(styles.failed(`${count(having('failed'), 'host')} failed`));
  if (sum('changed') > 0) {
    const changes = check ? `${count(sum('changed'), 'task')} would change` : count(sum('changed'), 'change');
    parts.push(styles.changed(`${changes} on ${having('changed')} of ${count(hosts.length, 'host')}`));
  } else if (parts.length === 0) {
    parts.push(styles.ok(`Nothing to change on ${count(hosts.length, 'host')}`));
  }
  return `${parts.join(', ')}, in ${duration(recap.ms)}`;
}
