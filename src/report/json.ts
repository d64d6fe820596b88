import type { RunEvent } from '../run/events.ts';
import { drained, type Report, type ReportOptions, type ReportStream } from './stream.ts';
import type { Line } from './schema.ts';

/** NDJSON: one object a line, as schema.ts describes them. Progress and warnings are for people, and not in it. */
export function jsonReport(stream: ReportStream, options: Pick<ReportOptions, 'diff' | 'redact'>): Report {
  // Redacted before it is escaped: a secret with a quote in it would not be recognised afterwards.
  const redacted = (_key: string, value: unknown): unknown =>
    typeof value === 'string' ? options.redact(value) : value;
  return {
    emit(event) {
      const line = toLine(event, options.diff);
      if (line !== undefined) stream.write(`${JSON.stringify(line, redacted)}\n`);
    },
    close: () => drained(stream),
  };
}

function toLine(event: RunEvent, withDiff: boolean): Line | undefined {
  switch (event.type) {
    case 'play':
      return {
        type: 'play',
        name: event.name,
        hosts: [...event.hosts],
        ...(event.batch !== undefined && { batch: event.batch }),
      };
    case 'task':
      return {
        type: 'task',
        name: event.name,
        ...(event.role !== undefined && { role: event.role }),
        module: event.module,
        handler: event.handler,
        at: event.at,
        hosts: [...event.hosts],
      };
    case 'result':
      return {
        type: 'result',
        host: event.host,
        task: event.task,
        module: event.module,
        status: event.status,
        ...(event.item !== undefined && { item: event.item }),
        ...(withDiff && event.diff !== undefined && { diff: [...event.diff] }),
        ...(event.message !== undefined && { message: event.message }),
        ...(event.output !== undefined && { output: event.output }),
        ...(event.ignored !== undefined && { ignored: event.ignored }),
        ...(event.delegatedTo !== undefined && { delegatedTo: event.delegatedTo }),
        ms: Math.round(event.ms),
      };
    case 'recap':
      return {
        type: 'recap',
        hosts: { ...event.hosts },
        ms: Math.round(event.ms),
        ...(event.interrupted && { interrupted: true as const }),
      };
    case 'progress':
    case 'warning':
      return undefined;
  }
}
