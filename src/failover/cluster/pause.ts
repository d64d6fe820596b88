import type { Memory } from './memory.ts';

export type Pause = NonNullable<Memory['paused']>;

/** The pause of automatic recovery that is in force at this time (milliseconds since 1970). */
export function pauseAt({ paused }: Pick<Memory, 'paused'>, at: number): Pause | undefined {
  return paused !== undefined && (paused.until === undefined || at < paused.until) ? paused : undefined;
}

/** For people: `recoveries were paused by ann@desk for 35 more minutes: moving the rack`. */
export function pauseText({ by, reason, until }: Pause, at: number): string {
  const rest = until === undefined ? '' : ` for ${Math.ceil((until - at) / 60_000)} more minutes`;
  return `recoveries were paused by ${by}${rest}: ${reason}`;
}
