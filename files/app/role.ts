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

/** The role in Prometheus's text format; undefined: the instance does not answer. */
export function roleMetrics(role: Role | undefined): string {
  const gauge = (name: string, help: string, value: boolean): string =>
    `# HELP understudy_role_${name} ${help}\n# TYPE understudy_role_${name} gauge\nunderstudy_role_${name} ${Number(value)}\n`;
  const up = gauge('check_up', 'Whether the instance answers.', role !== undefined);
  if (role === undefined) return up;
  return [
    up,
    gauge('primary', 'Whether the instance takes writes.', role.primary),
    gauge('replica', 'Whether it is read-only and its replication runs.', role.replica),
    gauge('readable', 'Whether it is read-only.', role.readable),
  ].join('');
}
