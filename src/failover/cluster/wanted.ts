import type { Memory } from './memory.ts';

/**
 * A request that is older belongs to a failover that has ended. The clocks of two hosts may differ by less than this.
 */
const FRESH_MS = 10_000;

/** Whether another process waits for the lock to replace a dead primary. Times since 1970. */
export function isWanted({ wanted }: Memory, who: string, at: number): boolean {
  return wanted !== undefined && wanted.by !== who && Math.abs(at - wanted.at) < FRESH_MS;
}
