/** How writers find the primary: a proxy, an address that moves, or a name. */
export const BALANCER_KINDS = ['haproxy', 'proxysql', 'vip', 'dns'] as const;

export type BalancerKind = (typeof BALANCER_KINDS)[number];

/** What one kind of balancer can do, as far as plans, problems and notes depend on it. */
export interface Abilities {
  readonly kind: BalancerKind;
  /** New writers wait during a change; without it they are refused meanwhile. */
  readonly holds: boolean;
  /** Ends the open sessions to the old primary; without it only the old primary itself, or its fence, does. */
  readonly ends: boolean;
  /** Finds the writer by checks of its own, so that it ends up right when nobody tells it. */
  readonly checks: boolean;
  /** For how many seconds clients may go on opening sessions to the old primary after the change. */
  readonly staleSeconds: number;
}

/**
 * One way by which writers find the primary. Each method may be repeated, and rejects with a `UserError` when the
 * balancer does not answer in time, or answers what was not expected. What a kind cannot do at all it does not have.
 *
 * The safe order of a switchover, as seen on HAProxy 3.0 with checks:
 *
 * 1. `hold` on all balancers. Sessions that are open go on; new ones wait.
 * 2. The old primary becomes read-only.
 * 3. `endWriters(old)`. Not before 2: the balancer's own check would bring a writable server back at once (rise 1).
 *    A check that was answered before 2 may still bring it back for two checks (half a second). That does no harm:
 *    the hold keeps new sessions away, the server is read-only, and step 5 counts it as down again.
 * 4. The new primary becomes writable. Not after 5: its check would take it out after two failures.
 * 5. `pointWriters(new)`. A check of the new primary that was answered before 4 is one failure, and two are needed;
 *    the second is asked 200 ms later, and the role check never answers with what it read before it was asked.
 *
 * Whatever ends in the middle is put right by the checks: a hold ends by itself, and within a second the writer is
 * again the one server that says that it is writable. With two that say so, new sessions wait.
 *
 * A kind without checks of its own (`checks`) stays as it was told: what did not reach it is left to the watch, or to
 * the next command.
 */
export interface Balancer extends Pick<Abilities, 'kind' | 'checks' | 'staleSeconds'> {
  readonly name: string;
  /** The hosts to which writers are sent: servers of HAProxy's writer backend that count as up. */
  writers(): Promise<readonly string[]>;
  /** Rejects when this server could not be made the writer. It changes nothing. */
  expect(server: string): Promise<void>;
  /**
   * New writer sessions wait until `release` or until the time is over (at most a minute), whichever comes first. They
   * are accepted and hear nothing; each waits for ten seconds at most and is then closed. The time is measured by the
   * balancer's own clock, and a reload or restart of HAProxy keeps it.
   */
  hold?(ms: number): Promise<void>;
  release?(): Promise<void>;
  /** Ends the server's writer sessions and counts it as down until its check says otherwise. */
  endWriters?(server: string): Promise<void>;
  /**
   * Counts this server as the writer, every other one as down, and lets the waiting sessions go. Takes it out of
   * maintenance: it is the one that can be written. Rejects when the balancer does not count it as the only writer
   * afterwards.
   */
  pointWriters(server: string): Promise<void>;
  close(): Promise<void>;
}

export function abilitiesOf(balancer: Balancer): Abilities {
  const { kind, checks, staleSeconds } = balancer;
  return { kind, checks, staleSeconds, holds: 'hold' in balancer, ends: 'endWriters' in balancer };
}
