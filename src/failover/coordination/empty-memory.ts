import type { Memory } from '../cluster/memory.ts';

/** What a cluster remembers before anything has happened to it. */
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
