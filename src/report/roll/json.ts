import { drained, type ReportStream } from '../stream.ts';
import { type Batch } from '../../site/roll/next.ts';
import { outOfServiceMs, type RollRecord } from '../../site/roll/record.ts';
import { type RollReport, totalTraffic } from '../../site/roll/report.ts';
import type { RollHistoryLine, RollLine } from './schema.ts';
import type { RollView } from './view.ts';

/** NDJSON: one object a line, as schema.ts describes them. */
export function rollJson(stream: ReportStream, redact: (text: string) => string): Omit<RollView, 'work'> {
  // Redacted before it is escaped: a secret with a quote in it would not be recognised afterwards.
  const redacted = (_key: string, value: unknown): unknown =>
    typeof value === 'string' ? redact(value) : value;
  const print = (line: RollLine): void => void stream.write(`${JSON.stringify(line, redacted)}\n`);
  return {
    timetable: (_survey, batches) => print({ type: 'timetable', batches: batches.map(batchLine) }),
    event: (event) => print(event.type === 'roll' ? { ...event, hosts: [...event.hosts] } : event),
    report: (report) => print(reportLine(report)),
    close: () => drained(stream),
  };
}

function batchLine({
  hosts,
  drains,
  moves,
}: Batch): Extract<RollLine, { type: 'timetable' }>['batches'][number] {
  return {
    hosts: [...hosts],
    drains: [...drains],
    moves: moves.map(({ cluster, from, host, among }) => ({ cluster, from, host, among: [...among] })),
  };
}

function reportLine(report: RollReport): RollLine {
  const { id, outcome, startedAt, endedAt = Date.now(), hosts } = report.record;
  if (outcome === 'running') throw new Error('a roll is reported at its end');
  const total = totalTraffic(report);
  return {
    type: 'report',
    id,
    outcome,
    ms: endedAt - startedAt,
    hosts: hosts.map((host) => ({
      name: host.name,
      state: host.state,
      outOfServiceMs: outOfServiceMs(host, endedAt),
    })),
    ...(total !== undefined && {
      traffic: {
        counts: { ...total.counts },
        ...(total.slowestMs !== undefined && { slowestMs: total.slowestMs }),
        slowestIsBound: total.slowestIsBound,
        notCounted: [...total.notCounted],
      },
    }),
  };
}

/** A line of `provision history --json`. */
export function recordLine(kept: RollRecord): RollHistoryLine {
  const { version: _version, ...record } = kept;
  return {
    type: 'roll-record',
    ...record,
    hosts: record.hosts.map((host) => ({
      ...host,
      outOfServiceMs: outOfServiceMs(host, record.endedAt ?? Date.now()),
    })),
  };
}
