/**
 * One write of a drill's writer. Times are milliseconds since 1970. `acknowledged`: the server said that it is
 * committed, so it must never be lost. `refused`: the server said no. `unknown`: no answer came, so both may be true.
 */
export interface Write {
  readonly id: number;
  readonly sentAt: number;
  readonly endedAt: number;
  readonly outcome: WriteOutcome;
  /** The server_id of the instance that the writer was connected to, or (by HTTP) its name. */
  readonly by: string;
  readonly error: string;
}

export type WriteOutcome = 'acknowledged' | 'refused' | 'unknown';

/** A time in which one instance acknowledged, and no other one. */
export interface Reign {
  readonly by: string;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
}

/** The results of a writer in numbers. */
export interface WriteTally {
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  /** The longest time without any acknowledged write, and when it was. */
  readonly gapMs: number;
  readonly gapFrom: number;
  readonly gapTo: number;
  /** Of the acknowledged ones: from sending to the answer. */
  readonly medianMs: number;
  readonly worstMs: number;
  readonly reigns: readonly Reign[];
  /** How often each error was met. */
  readonly errors: Readonly<Record<string, number>>;
}

const OUTCOMES: readonly WriteOutcome[] = ['acknowledged', 'refused', 'unknown'];

/** A line of the writer: `[id, sentAt, endedAt, outcome, by, error]`. */
export type WriteLine = readonly [number, number, number, number, string, string];

export function writeOf([id, sentAt, endedAt, outcome, by, error]: WriteLine): Write {
  return { id, sentAt, endedAt, outcome: OUTCOMES[outcome] ?? 'unknown', by, error };
}

/** Counts writes. `sinceMs` and `untilMs` bound the time in which a gap is looked for; by default all of it. */
export function tally(
  writes: readonly Write[],
  bounds: { readonly sinceMs?: number; readonly untilMs?: number } = {},
): WriteTally {
  const good = writes
    .filter((write) => write.outcome === 'acknowledged')
    .sort((one, other) => one.endedAt - other.endedAt);
  const errors: Record<string, number> = {};
  for (const { outcome, error } of writes)
    if (outcome !== 'acknowledged') errors[error] = (errors[error] ?? 0) + 1;
  const latencies = good.map((write) => write.endedAt - write.sentAt).sort((one, other) => one - other);
  const gap = longestGap(
    good.map((write) => write.endedAt),
    bounds,
  );
  return {
    acknowledged: good.length,
    refused: writes.filter((write) => write.outcome === 'refused').length,
    unknown: writes.filter((write) => write.outcome === 'unknown').length,
    gapMs: gap.to - gap.from,
    gapFrom: gap.from,
    gapTo: gap.to,
    medianMs: latencies[Math.floor(latencies.length / 2)] ?? 0,
    worstMs: latencies.at(-1) ?? 0,
    reigns: reignsOf(good),
    errors,
  };
}

/** The time of the first acknowledged write that was sent after this moment, or that another instance acknowledged. */
export function firstAfter(
  writes: readonly Write[],
  moment: number,
  notBy: string | undefined,
): Write | undefined {
  return writes
    .filter(
      (write) =>
        write.outcome === 'acknowledged' &&
        write.endedAt >= moment &&
        (notBy === undefined ? write.sentAt >= moment : write.by !== notBy),
    )
    .sort((one, other) => one.endedAt - other.endedAt)[0];
}

function longestGap(
  times: readonly number[],
  { sinceMs, untilMs }: { readonly sinceMs?: number; readonly untilMs?: number },
): { readonly from: number; readonly to: number } {
  const marks = [
    ...(sinceMs === undefined ? [] : [sinceMs]),
    ...times.filter((time) => time >= (sinceMs ?? 0) && time <= (untilMs ?? Infinity)),
    ...(untilMs === undefined ? [] : [untilMs]),
  ];
  let longest = { from: marks[0] ?? 0, to: marks[0] ?? 0 };
  for (const [index, to] of marks.entries()) {
    const from = marks[index - 1];
    if (from !== undefined && to - from > longest.to - longest.from) longest = { from, to };
  }
  return longest;
}

/**
 * Who acknowledged when. A write is committed somewhere between its sending and its answer, so one instance's answers
 * that were still under way when the next one began are no sign of two primaries: a reign ends where another one's
 * write is both sent and answered after it.
 */
export function reignsOf(acknowledged: readonly Write[]): readonly Reign[] {
  const reigns: Reign[] = [];
  for (const write of acknowledged) {
    const last = reigns.at(-1);
    if (last?.by === write.by) {
      reigns[reigns.length - 1] = { ...last, lastAt: write.endedAt, count: last.count + 1 };
      continue;
    }
    const before = reigns.at(-2);
    // An answer of the one before that was sent before the present one began came late, and proves nothing.
    if (before && last && before.by === write.by && write.sentAt <= last.firstAt) {
      reigns[reigns.length - 2] = { ...before, count: before.count + 1 };
      continue;
    }
    reigns.push({ by: write.by, firstAt: write.endedAt, lastAt: write.endedAt, count: 1 });
  }
  return reigns;
}
