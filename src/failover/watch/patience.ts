import type { Problem } from '../problems/problems.ts';
import { keyOf } from './history.ts';

/** A replica may come back at any moment, and with it the proof that nothing is lost. */
const FAILOVER_PAUSE_MS = 250;
const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 300_000;
/** A problem that stayed away for so long is a new one. */
const FORGET_MS = 1_200_000;

/** Remembers what could not be done, and leaves it alone for longer and longer. */
export interface Patience {
  /** It was tried, or refused, and it still stands. */
  leave(problem: Problem, now: number): void;
  isLeft(problem: Problem, now: number): boolean;
  /** It was done. */
  forget(problem: Problem): void;
}

export function patience(): Patience {
  const left = new Map<string, { until: number; pause: number }>();
  return {
    leave(problem, now) {
      const key = keyOf(problem);
      const before = left.get(key);
      const isOld = before === undefined || now - before.until > FORGET_MS;
      const pause =
        problem.recovery === 'failover'
          ? FAILOVER_PAUSE_MS
          : isOld
            ? FIRST_PAUSE_MS
            : Math.min(LONGEST_PAUSE_MS, before.pause * 2);
      left.set(key, { until: now + pause, pause });
    },
    isLeft: (problem, now) => (left.get(keyOf(problem))?.until ?? 0) > now,
    forget: (problem) => void left.delete(keyOf(problem)),
  };
}
