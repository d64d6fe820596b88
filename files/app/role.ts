/** What an instance says about itself. */
export interface RoleFacts {
  readonly variables: ReadonlyMap<string, string>;
  /** The row of SHOW REPLICA STATUS; absent where nothing is configured. */
  readonly replica: Readonly<Record<string, unknown>> | undefined;
}

export interface Role {
  readonly primary: boolean;
  readonly replica: boolean;
  readonly readable: boolean;
}

/**
 * The role an instance has. A primary takes writes from everybody; a replica takes none, and both its receiver and
 * its applier run. MariaDB has no super_read_only, and names the columns by older words.
 */
export function judgeRole({ variables, replica }: RoleFacts): Role {
  const off = (name: string): boolean => (variables.get(name) ?? 'OFF') === 'OFF';
  const runs = (what: 'IO' | 'SQL'): boolean =>
    (replica?.[`Replica_${what}_Running`] ?? replica?.[`Slave_${what}_Running`]) === 'Yes';
  const known = variables.has('read_only') && off('offline_mode');
  const readable = known && !off('read_only');
  return {
    primary: known && off('read_only') && off('super_read_only'),
    replica: readable && runs('IO') && runs('SQL'),
    readable,
  };
}
