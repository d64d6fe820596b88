/** The moments at which the tool runs the operators' own programs. */
export const HOOK_NAMES = [
  'detected',
  'before-failover',
  'before-switchover',
  'after-promotion',
  'after-failure',
  'stonith',
] as const;

export type HookName = (typeof HOOK_NAMES)[number];
