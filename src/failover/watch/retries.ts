import type { Retry } from '../execute/outcome.ts';
import type { Problem } from '../problems/problems.ts';
import { matterOf } from './history.ts';

/**
 * Chooses the journal entry of the next attempt at a problem. The first attempt has an entry of its own; all later
 * attempts in vain share a second one with their number, so that they do not push older changes out of the journal.
 */
export interface Retries {
  /** Undefined: an entry of its own. */
  next(problem: Problem): Retry | undefined;
  note(
    problem: Problem,
    outcome: { readonly id: string; readonly outcome: 'done' | 'undone' | 'failed' },
  ): void;
}

export function retries(): Retries {
  const inVain = new Map<string, { readonly attempts: number; readonly id: string }>();
  return {
    next(problem) {
      const before = inVain.get(matterOf(problem));
      return before === undefined || before.attempts < 2
        ? undefined
        : { id: before.id, attempts: before.attempts };
    },
    note(problem, { id, outcome }) {
      const key = matterOf(problem);
      if (outcome === 'undone') inVain.set(key, { id, attempts: (inVain.get(key)?.attempts ?? 0) + 1 });
      else inVain.delete(key);
    },
  };
}
