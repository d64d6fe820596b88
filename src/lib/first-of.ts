/** One way to reach something, under way. */
export interface Attempt<T> {
  /** Fulfilled once the first part of the way is known to work; then there is no hurry to try another. */
  readonly underway: Promise<unknown>;
  readonly result: Promise<T>;
  /** Another way was quicker, or nobody waits any more. */
  cancel(): void;
}

export interface FirstOfOptions {
  /** The next way is started when the one before has got nowhere for this long. */
  readonly patienceMs: number;
  /** Errors that every other way would meet too. */
  readonly isFinal: (error: unknown) => boolean;
  readonly signal?: AbortSignal | undefined;
}

export type Reached<T> =
  | { readonly kind: 'reached'; readonly value: T; readonly way: number; readonly tried: number }
  /** In the order of the ways, or only the one that was final. */
  | { readonly kind: 'failed'; readonly errors: readonly unknown[] };

/** Tries ways in order until one leads there; a silent one does not hold up the next for long. */
export async function firstOf<T>(
  ways: readonly (() => Attempt<T>)[],
  options: FirstOfOptions,
): Promise<Reached<T>> {
  const { signal } = options;
  signal?.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const attempts: Attempt<T>[] = [];
    const errors: unknown[] = [];
    let failed = 0;
    let ended = false;
    let timer: NodeJS.Timeout | undefined;

    const end = (winner: number | undefined, settle: () => void): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      for (const [index, attempt] of attempts.entries()) if (index !== winner) attempt.cancel();
      settle();
    };
    const onAbort = (): void => end(undefined, () => reject(signal?.reason));
    const startNext = (): void => {
      clearTimeout(timer);
      const index = attempts.length;
      const attempt = ways[index]?.();
      if (!attempt) return;
      attempts.push(attempt);
      let isUnderway = false;
      attempt.underway.then(
        () => {
          isUnderway = true;
        },
        () => {},
      );
      timer = setTimeout(() => {
        if (!isUnderway) startNext();
      }, options.patienceMs);
      attempt.result.then(
        (value) => end(index, () => resolve({ kind: 'reached', value, way: index, tried: attempts.length })),
        (error: unknown) => {
          if (ended) return;
          errors[index] = error;
          failed++;
          if (options.isFinal(error)) end(undefined, () => resolve({ kind: 'failed', errors: [error] }));
          else if (attempts.length < ways.length) startNext();
          else if (failed === ways.length) end(undefined, () => resolve({ kind: 'failed', errors }));
        },
      );
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    startNext();
  });
}
