/** One HAProxy, through its runtime API. Rejects with a `UserError` when it does not answer in time. */
export interface Balancer {
  readonly name: string;
  /** Servers of the writer backend that count as up. */
  writers(): Promise<readonly string[]>;
  /** New writer sessions wait until `release` or until the time is over, whichever comes first. */
  hold(ms: number): Promise<void>;
  release(): Promise<void>;
  /** Ends the server's writer sessions and counts it as down until its check says otherwise. */
  endWriters(server: string): Promise<void>;
  /** Counts this server as the writer, every other one as down, and lets the waiting sessions go. */
  pointWriters(server: string): Promise<void>;
  close(): Promise<void>;
}
