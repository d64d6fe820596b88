/** An event as `--json` prints it. The event's name is stable; its message is for people. */
export interface WatchEvent {
  readonly event: WatchEventName;
  readonly level: 'info' | 'warning' | 'critical';
  readonly message: string;
  readonly instance?: string | undefined;
  readonly code?: string | undefined;
  readonly remedy?: string | undefined;
  /** The id of the journal's entry. */
  readonly id?: string | undefined;
  readonly ms?: number | undefined;
  readonly epoch?: number | undefined;
}

export type WatchEventName =
  | 'watching'
  | 'stopping'
  | 'not-watched'
  | 'suspect'
  | 'calm'
  | 'problem'
  | 'solved'
  | 'recovering'
  | 'step'
  | 'recovered'
  | 'failed'
  | 'refused'
  | 'waiting'
  | 'paused'
  | 'resumed'
  | 'store-lost'
  | 'store-back'
  | 'hook-failed'
  | 'notification-failed'
  | 'metrics-failed';

export type WatchLog = (event: WatchEvent) => void;

export interface LogOptions {
  readonly cluster: string;
  /** Whether each line for people begins with the name of its cluster; in JSON it is there always. */
  readonly named?: boolean | undefined;
  readonly json: boolean;
  /** False under journald, which stamps each line itself. */
  readonly withTime: boolean;
  readonly write: (line: string) => void;
  readonly redact: (text: string) => string;
  readonly now?: () => Date;
}

/** Writes one line for each event. */
export function watchLog(options: LogOptions): WatchLog {
  const { cluster, named = false, json, withTime, write, redact, now = () => new Date() } = options;
  return (event) => {
    const at = now().toISOString();
    if (json) {
      write(redact(`${JSON.stringify({ at, cluster, ...event })}\n`));
      return;
    }
    const { level, message, remedy, ms } = event;
    const parts = [
      ...(withTime ? [at] : []),
      ...(named ? [`${cluster}:`] : []),
      ...(level === 'info' ? [] : [level.toUpperCase()]),
      `${event.event}: ${message}${ms === undefined ? '' : ` (${Math.round(ms)} ms)`}${remedy === undefined ? '' : ` → ${remedy}`}`,
    ];
    write(redact(`${parts.join(' ').replace(/\s*\n\s*/g, ' · ')}\n`));
  };
}
