import type { HostRun } from './world.ts';

/** Reading further ahead than this in one go costs more than it saves. */
const WIDEST = 10_000;
const NARROWEST = 4;

/** After a change little that was read ahead will still be true: read for a few tasks only. */
export function narrowWindow(host: HostRun): void {
  host.window = NARROWEST;
}

export function widenWindow(host: HostRun): void {
  host.window = Math.min(WIDEST, host.window * 2);
}

/** Before anything is known of a host, nothing speaks against reading for all of it. */
export const INITIAL_WINDOW = WIDEST;
