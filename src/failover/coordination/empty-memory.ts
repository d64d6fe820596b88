import type { Memory } from '../cluster/memory.ts';

/** The memory of a cluster before its first change. */
export const EMPTY_MEMORY: Memory = {
  epoch: 0,
  primary: undefined,
  lastSeen: undefined,
  downtimes: [],
  unacknowledged: undefined,
  paused: undefined,
  rules: {},
  unfinished: undefined,
};
