import type { FailoverSettings } from './cluster.ts';

/** A number that operators may set. Times are milliseconds unless the name says otherwise. */
export interface NumberSetting {
  /** The inventory's variable. */
  readonly variable: string;
  readonly default: number;
  readonly least: number;
  readonly most: number;
  /** What it sets, and why the default is what it is. */
  readonly sets: string;
}

type NumberName = {
  [Name in keyof FailoverSettings]-?: FailoverSettings[Name] extends number ? Name : never;
}[keyof FailoverSettings];

/**
 * Every number with its default, its limits and its reason. Plain data: the commands read it before a schema library
 * could be loaded, and the schema of the daemon's file and the documentation are made from it.
 */
export const NUMBER_SETTINGS: Readonly<Record<NumberName, NumberSetting>> = {
  queryTimeoutMs: {
    variable: 'failover_query_timeout_ms',
    default: 1000,
    least: 50,
    most: 60_000,
    sets: 'how long one question to an instance may take; answers take a few milliseconds, so a second is silence',
  },
  connectTimeoutMs: {
    variable: 'failover_connect_timeout_ms',
    default: 1500,
    least: 50,
    most: 60_000,
    sets: 'how long opening a connection to an instance may take; the first lost packet is repeated after a second',
  },
  switchoverTimeoutMs: {
    variable: 'failover_switchover_timeout_ms',
    default: 5000,
    least: 100,
    most: 600_000,
    sets: 'how long writes may stand still in a switchover before all is taken back; the balancers let new sessions wait for ten seconds',
  },
  catchUpTimeoutMs: {
    variable: 'failover_catch_up_timeout_ms',
    default: 60_000,
    least: 100,
    most: 86_400_000,
    sets: 'how long a candidate may take to apply what it has received',
  },
  pollMs: {
    variable: 'failover_poll_ms',
    default: 250,
    least: 20,
    most: 60_000,
    sets: 'how often the watch asks each instance',
  },
  deadAfterMs: {
    variable: 'failover_dead_after_ms',
    default: 3000,
    least: 100,
    most: 600_000,
    sets: 'how long a primary that says nothing counts as alive for the watch; one whose process is gone counts as dead at once',
  },
  stalledAfterMs: {
    variable: 'failover_stalled_after_ms',
    default: 5000,
    least: 100,
    most: 600_000,
    sets: 'for how long one session of a primary that answers must stand in its commit, while nothing is committed, written to the binary log or received by a replica, before the watch gives the primary up (its disk hangs or is full); its transaction is older than failover_long_transaction_seconds, since a slow disk is better than a failover',
  },
  antiFlapMs: {
    variable: 'failover_anti_flap_ms',
    default: 3_600_000,
    least: 0,
    most: 604_800_000,
    sets: 'no second automatic failover within this time, unless somebody has acknowledged the first',
  },
  lagLimitSeconds: {
    variable: 'failover_lag_limit_seconds',
    default: 10,
    least: 0,
    most: 86_400,
    sets: 'from which lag on a replica is reported, and is no candidate of a switchover',
  },
  maxPromotionLagSeconds: {
    variable: 'failover_max_promotion_lag_seconds',
    default: 0,
    least: 0,
    most: 604_800,
    sets: 'from which lag of its applier on an instance replaces no dead primary, unless a person accepts it (`--force lagging-candidate`); 0: it applies what it has received, however long that takes',
  },
  longTransactionSeconds: {
    variable: 'failover_long_transaction_seconds',
    default: 10,
    least: 1,
    most: 86_400,
    sets: 'from which age on an open transaction stands in the way of a switchover',
  },
};

/** The settings that are no numbers, by variable. */
export const OTHER_SETTINGS = {
  allowOtherDataCentre: {
    variable: 'failover_allow_other_data_centre',
    default: false,
    sets: 'whether an automatic failover may choose an instance of another data centre',
  },
  asyncWhenAlone: {
    variable: 'failover_async_when_alone',
    default: false,
    sets: 'whether a new primary that no living replica could acknowledge to accepts writes without an acknowledgement',
  },
  endpoints: {
    variable: 'failover_endpoints',
    sets: 'how writers find the primary: by HAProxy (without it), ProxySQL, an address or a name ([failover-endpoints.md](failover-endpoints.md))',
  },
  hooks: {
    variable: 'failover_hooks',
    sets: 'executables by the name of their hook: detected, before-failover, before-switchover, after-promotion, after-failure, stonith',
  },
  promotionSql: {
    variable: 'failover_promotion_sql',
    sets: 'SQL statements that run on the new primary when it has been opened, as the account of failover; one that fails is reported, and undoes nothing',
  },
  demotionSql: {
    variable: 'failover_demotion_sql',
    sets: 'the same for the old primary when it has been demoted, in a switchover or when it comes back',
  },
  webhook: { variable: 'failover_notify_webhook', sets: 'a URL that gets every notification as JSON' },
  email: { variable: 'failover_notify_email', sets: 'an address that gets every notification by sendmail' },
  command: {
    variable: 'failover_notify_command',
    sets: 'an executable that gets every notification as JSON on stdin',
  },
} as const;

/** All settings as they are when nobody sets any. */
export function defaultSettings(): FailoverSettings {
  const numbers = Object.fromEntries(
    Object.entries(NUMBER_SETTINGS).map(([name, setting]) => [name, setting.default]),
  ) as Record<NumberName, number>;
  return {
    ...numbers,
    allowOtherDataCentre: OTHER_SETTINGS.allowOtherDataCentre.default,
    asyncWhenAlone: OTHER_SETTINGS.asyncWhenAlone.default,
    hooks: {},
    promotionSql: [],
    demotionSql: [],
    notify: {},
  };
}
