import { again } from '../lib/async.ts';

/**
 * Looks again and again until the signal comes. Each look deals with what the world refuses; the rest is a bug, and ends
 * the program. After the signal what was asked may be closed, and nobody wants to know any more.
 */
export function keepLooking(everyMs: number, signal: AbortSignal, look: () => Promise<void>): void {
  const failed = (error: unknown): void => {
    if (!signal.aborted) throw error;
  };
  void again(look, { everyMs, signal, failed });
}
