import { setTimeout as delay } from 'node:timers/promises';

export interface RetryOptions {
  /** Milliseconds before the next try; undefined gives up. `tries` counts those that failed so far. */
  readonly pause: (tries: number, elapsedMs: number) => number | undefined;
  /** Errors that another try may not meet; without it, all. */
  readonly isTransient?: ((error: unknown) => boolean) | undefined;
  /** Ends the waiting; rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Does something again until it succeeds, or rejects with the last error. */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const startedAt = performance.now();
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (options.isTransient && !options.isTransient(error)) throw error;
      const pause = options.pause(attempt, performance.now() - startedAt);
      if (pause === undefined) throw error;
      await sleep(pause, options.signal);
    }
  }
}

/** Waits; rejects with the signal's reason when that comes first. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

export interface TimeLimit {
  readonly ms: number;
  /** What to reject with when the time is over. */
  readonly expired: () => unknown;
  /** Ends the waiting too; rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The result of some work, if it comes in time. The work itself is not stopped: whoever began it has to do that. */
export async function within<T>(work: Promise<T>, { ms, expired, signal }: TimeLimit): Promise<T> {
  // What comes too late is nobody's error any more.
  work.catch(() => {});
  const ended = new AbortController();
  const over = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(expired()), ms);
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { signal: ended.signal });
    if (signal?.aborted) onAbort();
    ended.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  try {
    return await Promise.race([over, work]);
  } finally {
    ended.abort();
  }
}

export interface PollOptions {
  /** Milliseconds between an answer and the next question. */
  readonly everyMs: number;
  /** No question is asked later than this after the first. */
  readonly withinMs: number;
  /** Ends the waiting; rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Asks once at least, and again until there is an answer; undefined when the time is over. */
export async function poll<T>(
  ask: () => Promise<T | undefined>,
  { everyMs, withinMs, signal }: PollOptions,
): Promise<T | undefined> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined || performance.now() >= deadline) return answer;
    await sleep(everyMs, signal);
  }
}

export interface AgainOptions {
  /** Milliseconds from one beginning to the next; what takes longer is followed at once. */
  readonly everyMs: number;
  /** Ends it when what runs is over. */
  readonly signal: AbortSignal;
  /** Hears what goes wrong: the next time comes all the same. */
  readonly failed: (error: unknown) => void;
}

/** Does something again and again, never twice at the same time, until the signal comes. */
export async function again(
  work: () => Promise<void>,
  { everyMs, signal, failed }: AgainOptions,
): Promise<void> {
  while (!signal.aborted) {
    const beganAt = performance.now();
    await work().catch(failed);
    await sleep(Math.max(0, everyMs - (performance.now() - beganAt)), signal).catch(() => {});
  }
}
