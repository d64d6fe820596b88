import type { Problem } from '../problems/problems.ts';
import { matterOf } from './history.ts';

/** A refused failover changes nothing, and a replica that returns may prove that nothing is lost. */
const REFUSED_FAILOVER_PAUSE_MS = 250;
/** An attempt that is undone fences and unfences machines, runs hooks and stops receivers. */
const FIRST_FAILOVER_PAUSE_MS = 1000;
const LONGEST_FAILOVER_PAUSE_MS = 60_000;
const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 300_000;
/** A problem that was absent for this long counts as a new one. */
const FORGET_MS = 1_200_000;

/** How an attempt ended: it was refused before its first step, or it was made and the problem persists. */
export type Attempt = 'refused' | 'tried';

/** Delays the next attempt at a problem, longer after each attempt in vain. */
export interface Patience {
  /** `situation`: which instances answer, as text; when it changes, a failover is retried sooner. */
  leave(problem: Problem, attempt: Attempt, now: number, situation: string): void;
  isLeft(problem: Problem, now: number, situation: string): boolean;
  /** The problem was solved. */
  forget(problem: Problem): void;
}

interface Left {
  readonly since: number;
  readonly until: number;
  readonly pause: number;
  readonly situation: string;
}

export function patience(): Patience {
  const left = new Map<string, Left>();
  return {
    leave(problem, attempt, now, situation) {
      const key = matterOf(problem);
      const before = left.get(key);
      const isOld = before === undefined || now - before.until > FORGET_MS;
      const pause = nextPause(problem, attempt, isOld ? undefined : before.pause);
      left.set(key, { since: now, until: now + pause, pause, situation });
    },
    isLeft(problem, now, situation) {
      const found = left.get(matterOf(problem));
      if (found === undefined) return false;
      const isSame = problem.recovery !== 'failover' || found.situation === situation;
      return now < (isSame ? found.until : Math.min(found.until, found.since + FIRST_FAILOVER_PAUSE_MS));
    },
    forget: (problem) => void left.delete(matterOf(problem)),
  };
}

function nextPause({ recovery }: Problem, attempt: Attempt, before: number | undefined): number {
  if (recovery !== 'failover')
    return before === undefined ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, before * 2);
  if (attempt === 'refused') return REFUSED_FAILOVER_PAUSE_MS;
  return before === undefined || before < FIRST_FAILOVER_PAUSE_MS
    ? FIRST_FAILOVER_PAUSE_MS
    : Math.min(LONGEST_FAILOVER_PAUSE_MS, before * 2);
}
