import { bool, choice, str } from './arguments.ts';

/** The name of a unit, without wildcards. */
export const unitArgument = str.refine((value) => !/[*?[\s]/.test(value) && value !== '', {
  error: 'expected the name of one unit, without wildcards',
});

export const stateArgument = choice('reloaded', 'restarted', 'started', 'stopped').optional();

export const systemdShape = {
  name: unitArgument.optional(),
  state: stateArgument,
  enabled: bool.optional(),
  force: bool.optional(),
  masked: bool.optional(),
  daemon_reload: bool.default(false),
  daemon_reexec: bool.default(false),
  scope: choice('system', 'user', 'global').default('system'),
  no_block: bool.default(false),
} as const;

/** What service and systemd_service want of a unit. */
export interface UnitWish {
  readonly name: string;
  readonly state?: 'reloaded' | 'restarted' | 'started' | 'stopped' | undefined;
  readonly enabled?: boolean | undefined;
  readonly masked?: boolean | undefined;
  readonly daemonReload: boolean;
  readonly daemonReexec: boolean;
  readonly scope: 'system' | 'user' | 'global';
  readonly noBlock: boolean;
  readonly force: boolean;
}
