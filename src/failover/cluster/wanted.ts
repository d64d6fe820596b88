import type { Memory } from './memory.ts';

/** The clocks of two hosts may differ by some of this, and a wish that is older belongs to a failover that is over. */
const FRESH_MS = 10_000;

/** Whether somebody else waits for the lock to replace a dead primary. Times since 1970. */
export function isWanted({ wanted }: Memory, who: string, at: number): boolean {
  return wanted !== undefined && wanted.by !== who && Math.abs(at - wanted.at) < FRESH_MS;
}
