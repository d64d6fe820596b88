/** What one program said at one moment, on one host. */
export interface LogLine {
  readonly host: string;
  /** Microseconds since 1970. */
  readonly at: number;
  /** The systemd unit without `.service`, or the program where it ran outside of one. */
  readonly unit: string;
  /** The log's own word, as syslog counts: 0 emergency … 3 error, 4 warning … 7 debug. Undefined where it says none. */
  readonly priority: number | undefined;
  /** Perhaps several lines. */
  readonly message: string;
}

/** Microseconds since 1970 in ISO 8601, by UTC: `2026-11-29T10:49:05.260123Z`. */
export function isoTime(at: number): string {
  const micros = String(at % 1000).padStart(3, '0');
  return new Date(Math.floor(at / 1000)).toISOString().replace('Z', `${micros}Z`);
}
