import type { Recovery } from '../cluster/problem.ts';
import { type History, keyOf } from './history.ts';
import type { Problem } from '../problems/problems.ts';
import type { Recovered } from './recover.ts';

/** How a recovery that the watch decided on ended. */
export type Conclusion = 'done' | 'undone' | 'failed' | 'refused';

/** How many recoveries of one kind have ended so, and the time that they took together. */
export interface Count {
  readonly recovery: Recovery;
  readonly conclusion: Conclusion;
  readonly count: number;
  readonly seconds: number;
}

/** Counts what a watch did since it began. */
export class Tally {
  readonly #counts = new Map<string, Count>();
  readonly #refused = new Map<string, Problem>();
  #unwritableMs: number | undefined;

  /** A recovery has ended; one that found nothing to do, or the lock taken, counts for nothing. */
  ended(problem: Problem, result: Recovered, ms: number): void {
    if (problem.recovery === undefined) return;
    if (result.kind === 'refused') {
      this.#refused.set(keyOf(problem), problem);
      this.#count(problem.recovery, 'refused', ms);
    } else if (result.kind === 'executed') {
      this.#refused.delete(keyOf(problem));
      this.#unwritableMs = result.outcome.unwritableMs ?? this.#unwritableMs;
      this.#count(problem.recovery, result.outcome.outcome, ms);
    }
  }

  get counts(): readonly Count[] {
    return [...this.#counts.values()];
  }

  /** From refusing writes to accepting them, in the last change that moved the primary. */
  get unwritableMs(): number | undefined {
    return this.#unwritableMs;
  }

  /** The problems that still stand and about which nothing could be done at the last attempt. */
  refused({ sightings }: Pick<History, 'sightings'>): readonly Problem[] {
    const standing = new Set(sightings.map(({ problem }) => keyOf(problem)));
    for (const key of this.#refused.keys()) if (!standing.has(key)) this.#refused.delete(key);
    return [...this.#refused.values()];
  }

  #count(recovery: Recovery, conclusion: Conclusion, ms: number): void {
    const key = `${recovery} ${conclusion}`;
    const before = this.#counts.get(key);
    this.#counts.set(key, {
      recovery,
      conclusion,
      count: (before?.count ?? 0) + 1,
      seconds: (before?.seconds ?? 0) + ms / 1000,
    });
  }
}
