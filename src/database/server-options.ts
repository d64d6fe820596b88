import type { Dial } from '../lib/dial.ts';
import type { Account, TlsOptions } from './session.ts';
import type { Flavour } from './version.ts';

export interface ServerOptions {
  /** The instance's name, for messages. */
  readonly name: string;
  readonly flavour: Flavour;
  readonly address: string;
  readonly port: number;
  readonly dial: Dial;
  readonly accounts: {
    readonly failover: Account;
    readonly replication: Account;
    readonly backup: Account;
  };
  readonly tls: TlsOptions;
  /** The authority's file on the instances, for their replication channel; empty: as the channel has it. */
  readonly replicaCa: string;
  readonly connectTimeoutMs: number;
  /** Transactions that are open for longer than this are reported. */
  readonly longTransactionSeconds: number;
}
