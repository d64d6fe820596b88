import type { Drained } from '../drained.ts';

/** One moment of the site, as far as a roll decides by it. What is wrong with a part is a sentence; nothing: all is well. */
export interface RollSurvey {
  /** Hosts that the balancers send requests to. */
  readonly servers: readonly ServerView[];
  readonly balancers: readonly BalancerView[];
  /** One for each cluster. */
  readonly databases: readonly DatabaseView[];
  /** The store of the failover; no members when it has none. */
  readonly store: readonly MemberView[];
}

export interface ServerView {
  readonly host: string;
  /** Why it gets no requests from one of the balancers. */
  readonly trouble: string | undefined;
  /** Who took it out of service, when somebody did. */
  readonly drained: Drained | undefined;
  /** Requests that it works on now. */
  readonly requests: number;
}

export interface BalancerView {
  readonly host: string;
  readonly trouble: string | undefined;
  /** The site's addresses that it holds. */
  readonly holds: readonly string[];
  /** Somebody has told it to give them away. */
  readonly yields: boolean;
  /** How many seconds it may give its connections when it leaves; undefined: it does not say. */
  readonly longestFinish: number | undefined;
}

export interface InstanceView {
  /** `db2`. */
  readonly name: string;
  /** The host that carries it: `web2`. */
  readonly host: string;
  readonly isPrimary: boolean;
  /** It does not answer, or does not replicate. */
  readonly trouble: string | undefined;
  /** Undefined: it does not say. */
  readonly lagSeconds: number | undefined;
  /** Whether the primary may count on its acknowledgements. */
  readonly acknowledges: boolean;
}

export interface DatabaseView {
  readonly cluster: string;
  readonly instances: readonly InstanceView[];
  /** There is no one primary that takes writes, or a change of it is under way. */
  readonly trouble: string | undefined;
  /** How many replicas have to acknowledge a commit; 0 without semi-sync. */
  readonly acksRequired: number;
  /** From this lag on a replica is not caught up. */
  readonly lagLimitSeconds: number;
}

export interface MemberView {
  readonly host: string;
  readonly trouble: string | undefined;
}
