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
