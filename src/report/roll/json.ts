import { drained, type ReportStream } from '../stream.ts';
import type { RollView } from './view.ts';

/** NDJSON: one object a line, as schema.ts describes them. */
export function rollJson(stream: ReportStream, redact: (text: string) => string): Omit<RollView, 'work'> {
  // Redacted before it is escaped: a secret with a quote in it would not be recognised afterwards.
  const redacted = (_key: string, value: unknown): unknown =>
    typeof value === 'string' ? redact(value) : value;
  const print = (line: unknown): void => void stream.write(`${JSON.stringify(line, redacted)}\n`);
  return {
    timetable: (_survey, batches) => print({ type: 'timetable', batches }),
    event: (event) => print(event),
    close: () => drained(stream),
  };
}
