import { bool, choice, str } from '../kit/arguments.ts';

/** The name of a unit, without wildcards. */
export const unitArgument = str.refine((value) => !/[*?[\s]/.test(value) && value !== '', {
  error: 'expected the name of one unit, without wildcards',
});

export const stateArgument = choice('reloaded', 'restarted', 'started', 'stopped').optional();

export const systemdShape = {
  name: unitArgument.optional().describe('The unit; without an ending it is a service.'),
  state: stateArgument.describe(
    '`started` and `stopped` act where it is not so; `restarted` and `reloaded` always do.',
  ),
  enabled: bool.optional().describe('Whether it starts at boot.'),
  force: bool.optional().describe("Overwrite links of units that are in the way, as systemctl's `--force`."),
  masked: bool.optional().describe('Whether it is made impossible to start.'),
  daemon_reload: bool
    .default(false)
    .describe('Have systemd read its files again first; for a unit whose files changed it does so anyway.'),
  daemon_reexec: bool.default(false).describe('Have systemd start itself anew first.'),
  scope: choice('system', 'user', 'global')
    .default('system')
    .describe("Whose systemd: the system's, the user's, or settings for all users."),
  no_block: bool.default(false).describe('Do not wait until the unit has started or stopped.'),
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
