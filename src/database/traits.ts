import type { Flavour } from './version.ts';

/** How the flavours differ where plans must differ. Each trait is decided here, and nowhere else. */
export interface Traits {
  readonly flavour: Flavour;
  /** The name that people know. */
  readonly product: string;
  /** The variable that says whether an instance has GTIDs in an order that others can follow. */
  readonly gtidVariable: string;
  /** The variable that lets a primary wait although too few replicas are connected. */
  readonly waitVariable: string;
  /** Read-only stops every session at once (super_read_only); without, privileged sessions write until they are ended. */
  readonly readOnlyStopsEverybody: boolean;
  /** A receiver that is started again keeps what it received and did not apply; without, its relay logs are deleted. */
  readonly keepsRelayLogs: boolean;
  /** Replication goes on where an instance has transactions of its own: numbers of one origin have nothing to do with others. */
  readonly toleratesErrant: boolean;
  /** Empty transactions may be committed in place of others (GTID_NEXT). */
  readonly takesEmptyTransactions: boolean;
  /** A receiver leaves out what bears its own server_id (replicate_same_server_id is off): what is lost of it never comes back. */
  readonly dropsOwnEvents: boolean;
  /** An instance copies another by SQL (the clone plugin); without, the machines below do it. */
  readonly clonesBySql: boolean;
  /** The statements that end a channel and forget it. */
  readonly removeChannel: (name: string) => string;
}

const MYSQL: Traits = {
  flavour: 'mysql',
  product: 'MySQL',
  gtidVariable: 'gtid_mode',
  waitVariable: 'rpl_semi_sync_source_wait_no_replica',
  readOnlyStopsEverybody: true,
  keepsRelayLogs: true,
  toleratesErrant: true,
  takesEmptyTransactions: true,
  dropsOwnEvents: true,
  clonesBySql: true,
  removeChannel: (name) => `STOP REPLICA FOR CHANNEL '${name}'; RESET REPLICA ALL FOR CHANNEL '${name}'`,
};

const MARIADB: Traits = {
  flavour: 'mariadb',
  product: 'MariaDB',
  gtidVariable: 'gtid_strict_mode',
  waitVariable: 'rpl_semi_sync_master_wait_no_slave',
  readOnlyStopsEverybody: false,
  keepsRelayLogs: false,
  // The strict mode ends replication at the next transaction: its numbers have no gaps to put another one in.
  toleratesErrant: false,
  takesEmptyTransactions: false,
  dropsOwnEvents: false,
  clonesBySql: false,
  removeChannel: (name) => `STOP SLAVE '${name}'; RESET SLAVE '${name}' ALL`,
};

export function traitsOf(flavour: Flavour): Traits {
  return flavour === 'mysql' ? MYSQL : MARIADB;
}
