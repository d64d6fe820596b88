import { existsSync } from 'node:fs';
import { hostPort } from '../../lib/host-port.ts';
import { dirname, join, resolve } from 'node:path';

import type { BalancerSpec, Cluster, FailoverSettings } from '../../failover/cluster/cluster.ts';
import { defaultSettings, NUMBER_SETTINGS, OTHER_SETTINGS } from '../../failover/cluster/settings.ts';
import { PROMOTION_RULES, type PromotionRule } from '../../failover/cluster/promotion-rule.ts';
import { endpointSecrets, endpointsSchema } from '../../failover/cluster/endpoint.ts';
import type { InstanceSpec } from '../../failover/cluster/topology.ts';
import { UNIT, UNIT_EXPECTED } from '../../failover/cluster/unit.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { loadInventory } from '../../inventory/load.ts';
import { UserError } from '../../lib/errors.ts';
import type { StoreHost } from '../../session-store/member.ts';
import { SecretRegistry } from '../../lib/secret.ts';
import { didYouMean } from '../../lib/similar.ts';
import type { Dict } from '../../lib/value.ts';
import type { Flavour } from '../../database/version.ts';
import { addressOf, becomePassword } from '../../variables/address.ts';
import type { Become, HostAddress } from '../../transport/transport.ts';
import { chosenCluster, chosenClusters, type ClusterWish, type NamedCluster } from './choose-cluster.ts';
import {
  backendOf,
  balancerGroupOf,
  type ClusterGroup,
  refuseOneMachine,
  refuseSameUnits,
  refuseShared,
} from './cluster-conflicts.ts';
import { ClusterReader } from './cluster-reader.ts';
import { storeHosts } from './store-hosts.ts';
import { type SiteVariables, siteVariables } from './variables.ts';

/** How long a connection to a balancer may take. */
const CONNECT_TIMEOUT_MS = 5000;

export interface InventoryCluster {
  readonly cluster: Cluster;
  /** Whether the inventory has no other one. */
  readonly isOnly: boolean;
  /** The inventory's directory: the lock and the journal of an operator without a daemon are below it. */
  readonly directory: string;
  /** The host whose daemon keeps the lock and the journal, if there is one and no etcd. */
  readonly keeper: { readonly host: string; readonly port: number } | undefined;
  /** The hosts that carry the members of etcd, by endpoint, as far as the inventory has them. */
  readonly storeHosts: ReadonlyMap<string, string>;
  /** The hosts of the store of sessions, when this cluster has the first of them; empty: there is none. */
  readonly sessionStore: readonly StoreHost[];
  /** How a host is reached by SSH; undefined for one that the inventory does not have. */
  readonly addressOf: (host: string) => HostAddress | undefined;
  readonly becomeOf: (host: string) => Become;
  readonly secrets: SecretRegistry;
}

export interface ClusterOptions extends ClusterWish {
  readonly inventory: string;
  readonly playbook: string;
  readonly extraVars?: Dict | undefined;
}

/** The clusters that are meant, each to be described on its own: what is wrong with one is not wrong with another. */
export function inventoryClusters(
  options: ClusterOptions,
): readonly (NamedCluster & { readonly describe: () => InventoryCluster })[] {
  const { site, clusters } = siteOf(options);
  return chosenClusters(clusters, options).map((each) => ({
    name: each.name,
    instances: each.instances,
    describe: () => describe(site, each),
  }));
}

/** The one cluster that is meant. All that is wrong with it is thrown at once. */
export function inventoryCluster(options: ClusterOptions): InventoryCluster {
  const { site, clusters } = siteOf(options);
  return describe(site, chosenCluster(clusters, options));
}

interface InventorySite {
  readonly inventory: Inventory;
  readonly variables: SiteVariables;
  readonly secrets: SecretRegistry;
  /** How many clusters there are. */
  readonly count: number;
}

/** What is known of all clusters: enough to choose one, and to see that no two of them share a name or a server. */
function siteOf(options: ClusterOptions): {
  readonly site: InventorySite;
  readonly clusters: readonly ClusterGroup[];
} {
  const inventory = loadInventory(options.inventory);
  const secrets = new SecretRegistry();
  const variables = siteVariables({
    inventory,
    playbookDirectory: dirname(resolve(options.playbook)),
    extraVars: options.extraVars ?? new Map(),
    secrets,
  });
  const groups = groupsOf(inventory, variables, options);
  // What is wrong with a cluster is said when it is chosen: it does not stand in the way of another one.
  const reader = new ClusterReader(variables);
  const clusters = groups.map((group): ClusterGroup => {
    const hosts = inventory.groups.get(group) ?? [];
    const name = reader.text(hosts[0] ?? '', 'failover_cluster') ?? group;
    return { name, group, hosts, instances: instancesOf(reader, hosts) };
  });
  const between = new ClusterReader(variables);
  refuseShared(between, clusters);
  // Of one machine two clusters may each have instances.
  if (clusters.length > 1)
    refuseSameUnits(
      between,
      clusters.flatMap(({ instances }) => instances),
    );
  between.throwProblems();
  return { site: { inventory, variables, secrets, count: clusters.length }, clusters };
}

function describe(site: InventorySite, { name, group, hosts }: ClusterGroup): InventoryCluster {
  const { inventory, variables, secrets } = site;
  const reader = new ClusterReader(variables);
  const [first = ''] = hosts;
  const etcd = etcdOf(reader, first);
  for (const host of hosts) {
    const own = reader.text(host, 'mysql_group');
    if (site.count > 1 && own !== group)
      reader.problem(
        host,
        'mysql_group',
        `it is "${own ?? ''}", and the host is in the group of the cluster ${name}, ${group}`,
        'a host belongs to one cluster',
      );
  }
  const cluster: Cluster = {
    name,
    production: reader.boolean(first, 'understudy_production') ?? false,
    flavour: flavourOf(reader, hosts),
    instances: instancesOf(reader, hosts),
    balancers: balancersOf(reader, inventory, first),
    endpoints: endpointsOf(reader, first, secrets),
    accounts: {
      failover: reader.account(first, 'failover'),
      replication: reader.account(first, 'replication'),
      backup: reader.account(first, 'backup'),
      ...(etcd.length === 0 ? {} : { etcd: reader.accountOf(first, 'etcd_failover', 'failover') }),
    },
    tls: tlsOf(reader, first),
    etcd,
    settings: settingsOf(reader, first),
  };
  refuseOneMachine(reader, cluster);
  const keeper = keeperOf(reader, first);
  const members = reader.entries(first, 'etcd_addresses');
  const sessionStore = sessionStoreOf(reader, first, hosts);
  reader.throwProblems();

  const address = (host: string): HostAddress | undefined => {
    if (!inventory.hosts.has(host)) return undefined;
    const found = addressOf(host, variables.of(host), {
      hostKeyChecking: 'strict',
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
    });
    if (found !== 'local') return found;
    throw new UserError({
      message: `${host}: ansible_connection is local, and failover reaches hosts by SSH`,
      hint: 'on a host of the cluster itself, use --cluster /etc/understudy/clusters',
    });
  };
  return {
    cluster,
    isOnly: site.count === 1,
    directory: inventory.directory,
    keeper,
    storeHosts: storeHosts(etcd, inventory, (host) => variables.of(host), members),
    sessionStore,
    addressOf: address,
    becomeOf: (host) => {
      const password = becomePassword(variables.of(host));
      return { user: 'root', ...(password && { password }) };
    },
    secrets,
  };
}

/**
 * The groups that carry a cluster: those whose own hosts name them. A group that --group names need not be named by its
 * hosts, and is then seen alone.
 */
function groupsOf(
  inventory: Inventory,
  variables: SiteVariables,
  { inventory: path, group: wanted }: ClusterOptions,
): readonly string[] {
  const named = new Set<string>();
  const groups = new Set<string>();
  for (const host of inventory.hosts.keys()) {
    const group = variables.of(host).get('mysql_group');
    if (typeof group !== 'string') continue;
    named.add(group);
    if (inventory.groups.get(group)?.includes(host)) groups.add(group);
  }
  if (wanted === undefined ? groups.size > 0 : groups.has(wanted)) return [...groups];
  if (wanted !== undefined && (inventory.groups.get(wanted) ?? []).length > 0) return [wanted];
  const missing = wanted ?? [...named][0] ?? 'servers';
  const hint = didYouMean(missing, inventory.groups.keys());
  throw new UserError({
    message: `the inventory ${path} has no hosts in the group "${missing}", which carries the database`,
    hint: hint ?? 'the variable mysql_group names the group',
  });
}

function instancesOf(reader: ClusterReader, hosts: readonly string[]): readonly InstanceSpec[] {
  const specs = hosts.map((host): InstanceSpec => {
    const rule = reader.text(host, 'mysql_promotion_rule') ?? 'neutral';
    if (!isRule(rule)) {
      reader.problem(
        host,
        'mysql_promotion_rule',
        `"${rule}" is no promotion rule`,
        `there are ${PROMOTION_RULES.join(', ')}`,
      );
    }
    return {
      name: reader.text(host, 'mysql_instance') ?? host,
      host,
      address: reader.text(host, 'mysql_address') ?? reader.text(host, 'ansible_host') ?? host,
      port: reader.number(host, 'mysql_port', 1, 65_535) ?? 3306,
      ...unitOf(reader, host),
      rule: isRule(rule) ? rule : 'neutral',
      dataCentre: reader.text(host, 'mysql_data_centre') ?? '',
    };
  });
  for (const [index, spec] of specs.entries()) {
    const before = specs.slice(0, index);
    const other = before.find(
      (each) => each.name === spec.name || each.host === spec.name || each.name === spec.host,
    );
    if (other) {
      reader.problem(
        spec.host,
        'mysql_instance',
        `the instance is called "${spec.name}", and so is one of ${other.host}`,
        'each name means one instance',
      );
    }
    const same = before.find((each) => each.address === spec.address && each.port === spec.port);
    if (same) {
      reader.problem(
        spec.host,
        'mysql_address',
        `${hostPort(spec.address, spec.port)} is also the address of ${same.host}`,
      );
    }
  }
  refuseSameUnits(reader, specs);
  return specs;
}

/** Where a machine carries several instances each names its systemd unit. */
function unitOf(reader: ClusterReader, host: string): Pick<InstanceSpec, 'unit'> {
  const unit = reader.text(host, 'mysql_unit')?.replace(/\.service$/, '');
  if (unit === undefined) return {};
  if (!UNIT.test(unit)) reader.problem(host, 'mysql_unit', `"${unit}": ${UNIT_EXPECTED}`);
  return { unit };
}

function isRule(text: string): text is PromotionRule {
  return (PROMOTION_RULES as readonly string[]).includes(text);
}

function flavourOf(reader: ClusterReader, hosts: readonly string[]): Flavour {
  const [first = ''] = hosts;
  const flavour = reader.text(first, 'mysql_flavour') ?? 'mysql';
  for (const host of hosts) {
    const own = reader.text(host, 'mysql_flavour') ?? 'mysql';
    if (own !== flavour) {
      reader.problem(
        host,
        'mysql_flavour',
        `it is "${own}", and "${flavour}" on ${first}`,
        'a cluster has one flavour',
      );
    }
  }
  if (flavour === 'mysql' || flavour === 'mariadb') return flavour;
  reader.problem(first, 'mysql_flavour', `"${flavour}" is no flavour`, 'there are mysql and mariadb');
  return 'mysql';
}

function balancersOf(reader: ClusterReader, inventory: Inventory, first: string): readonly BalancerSpec[] {
  return (inventory.groups.get(balancerGroupOf(reader, first)) ?? []).map((host) => ({
    name: host,
    address: reader.text(host, 'back_address') ?? reader.text(host, 'ansible_host') ?? host,
    apiPort: reader.number(host, 'haproxy_api_port', 1, 65_535) ?? 9999,
    backend: backendOf(reader, first),
  }));
}

/** How writers find the primary; undefined where the inventory does not say it. */
function endpointsOf(reader: ClusterReader, host: string, secrets: SecretRegistry): Cluster['endpoints'] {
  const plain = reader.plain(host, OTHER_SETTINGS.endpoints.variable);
  if (plain === undefined) return undefined;
  const parsed = endpointsSchema.safeParse(plain);
  if (parsed.success) {
    for (const secret of endpointSecrets(parsed.data)) secrets.add(secret.reveal());
    return parsed.data;
  }
  for (const { path, message } of parsed.error.issues) {
    const [index, ...rest] = path;
    const where = [index === undefined ? '' : `[${String(index)}]`, ...rest.map(String)].join('.');
    reader.problem(
      host,
      OTHER_SETTINGS.endpoints.variable,
      `${where === '' ? '' : `${where}: `}${message}`,
      'docs/failover-endpoints.md has each kind with its keys',
    );
  }
  return undefined;
}

/** The members of the store that the role etcd makes; none when a single daemon keeps files. */
function etcdOf(reader: ClusterReader, host: string): readonly string[] {
  const given = reader.texts(host, 'failover_etcd');
  if (given.length > 0 || reader.text(host, 'site_failover_store') !== 'etcd') return given;
  return reader.entries(host, 'etcd_addresses').map(([member, address]) => {
    const port = reader.number(member, 'etcd_client_port', 1, 65_535) ?? 2379;
    return hostPort(address, port);
  });
}

/** A single watch keeps files on its balancer; the role failover_watch serves them there. */
/** The store is the site's: it is shown with one cluster. */
function sessionStoreOf(reader: ClusterReader, host: string, hosts: readonly string[]): readonly StoreHost[] {
  if (reader.text(host, 'site_session_store') !== 'valkey') return [];
  const members = reader.texts(host, 'valkey_members');
  if (!hosts.includes(members[0] ?? '')) return [];
  return members.map((member) => ({ host: member, address: reader.text(member, 'back_address') ?? member }));
}

function keeperOf(reader: ClusterReader, host: string): InventoryCluster['keeper'] {
  const keeper = reader.text(host, 'failover_keeper');
  if (keeper === undefined) return undefined;
  return { host: keeper, port: reader.number(keeper, 'failover_keeper_port', 1, 65_535) ?? 9998 };
}

function tlsOf(reader: ClusterReader, host: string): Cluster['tls'] {
  const directory = reader.text(host, 'mysql_tls_dir');
  const ca = directory === undefined ? undefined : join(directory, 'ca.pem');
  if (ca !== undefined && !existsSync(ca)) {
    reader.problem(
      host,
      'mysql_tls_dir',
      `there is no ${ca}, which the instances' certificates are verified with`,
      '`provision up` makes it; run it with this inventory first',
    );
  }
  const certificates = reader.text(host, 'mysql_certificates') ?? '/etc/mysql/understudy-tls';
  return { ca, replicaCa: `${certificates}/ca.pem` };
}

function settingsOf(reader: ClusterReader, host: string): FailoverSettings {
  const settings = { ...defaultSettings() };
  for (const [name, { variable, least, most }] of Object.entries(NUMBER_SETTINGS)) {
    const value = reader.number(host, variable, least, most);
    if (value !== undefined) Object.assign(settings, { [name]: value });
  }
  const { allowOtherDataCentre, asyncWhenAlone, hooks, promotionSql, demotionSql, webhook, email, command } =
    OTHER_SETTINGS;
  return {
    ...settings,
    allowOtherDataCentre: reader.boolean(host, allowOtherDataCentre.variable) ?? allowOtherDataCentre.default,
    asyncWhenAlone: reader.boolean(host, asyncWhenAlone.variable) ?? asyncWhenAlone.default,
    hooks: reader.hooks(host, hooks.variable),
    promotionSql: reader.statements(host, promotionSql.variable),
    demotionSql: reader.statements(host, demotionSql.variable),
    notify: {
      webhook: reader.text(host, webhook.variable),
      email: reader.text(host, email.variable),
      command: reader.text(host, command.variable),
    },
  };
}
