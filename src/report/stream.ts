import type { EventSink } from '../run/events.ts';

/** Where a report goes: a terminal, a file or a pipe. */
export interface ReportStream {
  write(text: string, done?: (error?: Error | null) => void): boolean;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface ReportOptions {
  /** Whether the run only looks: words and the exit code differ. */
  readonly check: boolean;
  /** Whether diffs are shown. */
  readonly diff: boolean;
  /** 0: what changed or failed. 1: every result. 2: progress lines of long steps too, where there is no live view. */
  readonly verbose: number;
  /** Everything that is written passes through it. */
  readonly redact: (text: string) => string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** A view of a run, made from its events alone. */
export interface Report {
  readonly emit: EventSink;
  /** Resolves when everything has been written. To be called after the last event, also when the run was cut short. */
  close(): Promise<void>;
}

/** Resolves when everything written before has left the process, or cannot any more. */
export function drained(stream: ReportStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
