import type { LogLine } from './line.ts';

export interface LogFilter {
  /** Microseconds since 1970. */
  readonly since: number;
  /** Undefined: any. */
  readonly hosts?: ReadonlySet<string> | undefined;
  readonly unit?: string | undefined;
  readonly text?: string | undefined;
  readonly pattern?: RegExp | undefined;
  /** Only what is at least as grave: 3 is errors and worse. */
  readonly priority?: number | undefined;
}

/** Whether a line is wanted. */
export function isWanted(line: LogLine, { since, hosts, unit, text, pattern, priority }: LogFilter): boolean {
  return (
    line.at >= since &&
    (hosts === undefined || hosts.has(line.host)) &&
    (unit === undefined || line.unit === unit || line.unit.startsWith(`${unit}@`)) &&
    (text === undefined || line.message.includes(text)) &&
    (pattern === undefined || pattern.test(line.message)) &&
    (priority === undefined || (line.priority !== undefined && line.priority <= priority))
  );
}

/** By time; what was said at the same microsecond, by the host's name. */
export function byTime(one: LogLine, other: LogLine): number {
  return one.at - other.at || (one.host < other.host ? -1 : one.host > other.host ? 1 : 0);
}
