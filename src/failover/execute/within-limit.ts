import { EXIT, UserError } from '../../lib/errors.ts';
import type { Limits } from '../../database/server.ts';

/** An implementation that ignores its limit or its signal is left behind after this much more time. */
const GRACE_MS = 500;

/**
 * Returns the work's result. The work is told to stop at its limit and by the signals; when it does not stop, nobody
 * waits for it.
 */
export async function withinLimit<T>(
  limitMs: number,
  signals: readonly AbortSignal[],
  work: (limits: Limits) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, ...signals]);
  let timer: NodeJS.Timeout | undefined;
  let grace: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await Promise.race([
      work({ timeoutMs: limitMs, signal }),
      new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => {
          reject(new UserError(`not done within ${limitMs} ms`, { exitCode: EXIT.failed }));
          over.abort();
        }, limitMs + GRACE_MS);
        onAbort = () => {
          grace = setTimeout(() => reject(new UserError(abortReason(signal))), GRACE_MS);
        };
        signal.addEventListener('abort', onAbort, { once: true });
      }),
    ]);
  } finally {
    clearTimeout(timer);
    clearTimeout(grace);
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}

/** Why a signal came, in words: Ctrl-C says nothing. */
export function abortReason(signal: AbortSignal): string {
  const reason: unknown = signal.reason;
  return reason instanceof Error && reason.name !== 'AbortError' ? reason.message : 'interrupted';
}
