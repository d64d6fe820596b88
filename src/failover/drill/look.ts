import type { InstanceSpec } from '../cluster/topology.ts';
import type { Site } from './ground.ts';

/*
 * Reads servers and balancers on their own machines through the local socket. It shares no code with the failover's own
 * observation, so that a mistake there is not hidden here.
 */

/** The state of one instance, as far as the invariants need it. */
export interface InstanceLook {
  readonly name: string;
  readonly serverId: string;
  readonly readOnly: boolean;
  /** MySQL's executed set, or MariaDB's current position. */
  readonly gtid: string;
  /** The address of its source; undefined when it has none. */
  readonly source: string | undefined;
  readonly isReplicating: boolean;
  readonly replicationError: string;
  readonly semiSyncSource: boolean;
  /** Its side as a source is really active, and how many acknowledge to it. */
  readonly semiSyncActive: boolean;
  readonly ackers: number;
  readonly semiSyncReplica: boolean;
  readonly uptimeSeconds: number;
}

const ASK_MS = 8000;

/** The command-line client of a flavour, as root through the socket. */
export function client(site: Pick<Site, 'flavour'>): string {
  return site.flavour === 'mariadb' ? 'mariadb' : 'mysql';
}

export function service(site: Pick<Site, 'flavour'>): string {
  return `${site.flavour}.service`;
}

/** Runs statements as root on an instance's machine, and gives the rows as text, tabs between columns. */
export async function sql(
  site: Site,
  spec: InstanceSpec,
  statements: string,
  timeoutMs = ASK_MS,
): Promise<string> {
  return (
    await site.ground.sh(spec.host, `${client(site)} --batch --skip-column-names --raw`, {
      input: statements,
      timeoutMs,
    })
  ).trimEnd();
}

/** Asks one instance; rejects when it does not answer. */
export async function lookAt(site: Site, spec: InstanceSpec): Promise<InstanceLook> {
  const isMariaDb = site.flavour === 'mariadb';
  const variables = `SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_id', 'read_only', 'super_read_only', ${
    isMariaDb ? "'gtid_current_pos', 'gtid_binlog_pos'" : "'gtid_executed'"
  });`;
  const status = `SHOW GLOBAL STATUS WHERE Variable_name LIKE 'Rpl_semi_sync%' OR Variable_name = 'Uptime';`;
  // Not `Rpl_semi_sync%`: their names differ between the flavours, their ends do not.
  const switches = `SHOW GLOBAL VARIABLES LIKE 'rpl_semi_sync%enabled';`;
  const said = await site.ground.sh(
    spec.host,
    `{ printf '%s\\n' "$1" | ${client(site)} --batch --skip-column-names --raw; printf '%s' "$2" | ${client(site)} --batch --raw --vertical; }`
      .replace('"$1"', shellText(`${variables} ${status} ${switches}`))
      .replace('"$2"', shellText('SHOW REPLICA STATUS')),
    { timeoutMs: ASK_MS },
  );
  const values = new Map<string, string>();
  for (const line of said.split('\n')) {
    const tab = /^([A-Za-z_]+)\t(.*)$/.exec(line) ?? /^ *([A-Za-z_]+): (.*)$/.exec(line);
    if (tab) values.set(tab[1]?.toLowerCase() ?? '', tab[2] ?? '');
    else if (line !== '' && values.size > 0) {
      // A GTID set of several servers goes over several lines.
      const last = [...values.keys()].at(-1) ?? '';
      if (last.startsWith('gtid') || last.endsWith('gtid_set'))
        values.set(last, `${values.get(last)}${line.trim()}`);
    }
  }
  const value = (...names: readonly string[]): string =>
    names.map((name) => values.get(name)).find((found) => found !== undefined) ?? '';
  const on = (text: string): boolean => text === 'ON' || text === '1' || text === 'Yes';
  const source = value('source_host', 'master_host');
  return {
    name: spec.name,
    serverId: value('server_id'),
    // MariaDB has several words for it since 12.0.1.
    readOnly: isMariaDb
      ? !['', 'OFF'].includes(value('read_only'))
      : on(value('read_only')) && on(value('super_read_only')),
    gtid: isMariaDb ? value('gtid_current_pos') || value('gtid_binlog_pos') : value('gtid_executed'),
    source: source === '' ? undefined : source,
    isReplicating:
      on(value('replica_io_running', 'slave_io_running')) &&
      on(value('replica_sql_running', 'slave_sql_running')),
    replicationError: [
      value('last_io_error', 'last_receiver_error'),
      value('last_sql_error', 'last_applier_error'),
    ]
      .filter((text) => text !== '')
      .join('; '),
    semiSyncSource: on(value('rpl_semi_sync_source_enabled', 'rpl_semi_sync_master_enabled')),
    semiSyncActive: on(value('rpl_semi_sync_source_status', 'rpl_semi_sync_master_status')),
    ackers: Number(value('rpl_semi_sync_source_clients', 'rpl_semi_sync_master_clients') || 0),
    semiSyncReplica: on(value('rpl_semi_sync_replica_enabled', 'rpl_semi_sync_slave_enabled')),
    uptimeSeconds: Number(value('uptime') || 0),
  };
}

/** The states of all instances that answer. */
export async function lookAtAll(site: Site): Promise<readonly InstanceLook[]> {
  const looks = await Promise.all(
    site.instances.map((spec) => lookAt(site, spec).catch((): undefined => undefined)),
  );
  return looks.flatMap((look) => look ?? []);
}

/** The instances that take writes, by name. */
export function writable(looks: readonly InstanceLook[]): readonly string[] {
  return looks.filter((look) => !look.readOnly).map((look) => look.name);
}

/** The one instance that takes writes; rejects when there is not exactly one. */
export async function primaryName(site: Site): Promise<string> {
  const names = writable(await lookAtAll(site));
  const [only] = names;
  if (names.length === 1 && only !== undefined) return only;
  throw new Error(`there are ${names.length} writable instances: ${names.join(', ')}`);
}

/** The servers that a balancer counts as the writer, asked at its own socket. */
export async function writersOf(site: Site, balancer: string): Promise<readonly string[]> {
  const backend = site.balancers.find(({ name }) => name === balancer)?.backend;
  const text = await site.ground.sh(
    balancer,
    `printf 'show stat\\n' | socat -T 2 - UNIX-CONNECT:/run/haproxy/admin.sock`,
    { timeoutMs: 5000 },
  );
  return text
    .split('\n')
    .map((line) => line.split(','))
    .filter(([proxy, server]) => proxy === (backend ?? 'mysql_primary') && server !== 'BACKEND')
    .filter((columns) => columns[17]?.startsWith('UP'))
    .map((columns) => columns[1] ?? '');
}

function shellText(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
