import { existsSync } from 'node:fs';
import { hostPort } from '../../lib/host-port.ts';
import { dirname, join, resolve } from 'node:path';

import type { Account, BalancerSpec, Cluster, FailoverSettings } from '../../failover/cluster/cluster.ts';
import { defaultSettings, NUMBER_SETTINGS, OTHER_SETTINGS } from '../../failover/cluster/settings.ts';
import { PROMOTION_RULES, type PromotionRule } from '../../failover/cluster/promotion-rule.ts';
import { HOOK_NAMES, type HookName } from '../../failover/cluster/hook-name.ts';
import type { InstanceSpec } from '../../failover/cluster/topology.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { loadInventory } from '../../inventory/load.ts';
import { type Problem, UserError } from '../../lib/errors.ts';
import { Secret, SecretRegistry } from '../../lib/secret.ts';
import { didYouMean } from '../../lib/similar.ts';
import { type Dict, isDict, isList, toPlain, type Value } from '../../lib/value.ts';
import type { Flavour } from '../../database/version.ts';
import { addressOf, becomePassword } from '../../variables/address.ts';
import type { Become, HostAddress } from '../../transport/transport.ts';
import { type SiteVariables, siteVariables } from './variables.ts';

/** How long a connection to a balancer may take. */
const CONNECT_TIMEOUT_MS = 5000;

export interface InventoryCluster {
  readonly cluster: Cluster;
  /** The inventory's directory: the lock and the journal of an operator without a daemon are below it. */
  readonly directory: string;
  /** The host whose daemon keeps the lock and the journal, if there is one and no etcd. */
  readonly keeper: { readonly host: string; readonly port: number } | undefined;
  /** How a host is reached by SSH; undefined for one that the inventory does not have. */
  readonly addressOf: (host: string) => HostAddress | undefined;
  readonly becomeOf: (host: string) => Become;
  readonly secrets: SecretRegistry;
}

export interface ClusterOptions {
  readonly inventory: string;
  readonly playbook: string;
  /** The inventory group of the cluster, when there are several. */
  readonly group?: string | undefined;
  readonly extraVars?: Dict | undefined;
}

/** The cluster as the inventory and the playbooks' variables describe it. All that is wrong is thrown at once. */
export function inventoryCluster(options: ClusterOptions): InventoryCluster {
  const inventory = loadInventory(options.inventory);
  const secrets = new SecretRegistry();
  const variables = siteVariables({
    inventory,
    playbookDirectory: dirname(resolve(options.playbook)),
    extraVars: options.extraVars ?? new Map(),
    secrets,
  });
  const reader = new Reader(variables);
  const group = groupOf(inventory, variables, options.group);
  const hosts = inventory.groups.get(group) ?? [];
  const [first] = hosts;
  if (first === undefined) {
    const hint = didYouMean(group, inventory.groups.keys());
    throw new UserError({
      message: `the inventory ${options.inventory} has no hosts in the group "${group}", which carries the database`,
      hint: hint ?? 'the variable mysql_group names the group',
    });
  }
  const etcd = etcdOf(reader, first);
  const cluster: Cluster = {
    name: reader.text(first, 'failover_cluster') ?? group,
    production: reader.boolean(first, 'understudy_production') ?? false,
    flavour: flavourOf(reader, hosts),
    instances: instancesOf(reader, hosts),
    balancers: balancersOf(reader, inventory, first),
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
  const keeper = keeperOf(reader, first);
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
      hint: 'on a host of the cluster itself, use --cluster /etc/understudy/cluster.json',
    });
  };
  return {
    cluster,
    directory: inventory.directory,
    keeper,
    addressOf: address,
    becomeOf: (host) => {
      const password = becomePassword(variables.of(host));
      return { user: 'root', ...(password && { password }) };
    },
    secrets,
  };
}

/** The one group that hosts name as their cluster's. */
function groupOf(inventory: Inventory, variables: SiteVariables, wanted: string | undefined): string {
  if (wanted !== undefined) return wanted;
  const groups = new Set<string>();
  for (const host of inventory.hosts.keys()) {
    const group = variables.of(host).get('mysql_group');
    if (typeof group === 'string') groups.add(group);
  }
  if (groups.size === 0) groups.add('servers');
  const [only] = groups;
  if (groups.size === 1 && only !== undefined) return only;
  throw new UserError({
    message: `the inventory has several clusters: ${[...groups].join(', ')}`,
    hint: 'choose one with --group',
  });
}

function instancesOf(reader: Reader, hosts: readonly string[]): readonly InstanceSpec[] {
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
  return specs;
}

function isHook(text: string): text is HookName {
  return (HOOK_NAMES as readonly string[]).includes(text);
}

function isRule(text: string): text is PromotionRule {
  return (PROMOTION_RULES as readonly string[]).includes(text);
}

function flavourOf(reader: Reader, hosts: readonly string[]): Flavour {
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

function balancersOf(reader: Reader, inventory: Inventory, first: string): readonly BalancerSpec[] {
  const group = reader.text(first, 'failover_balancer_group') ?? 'balancers';
  return (inventory.groups.get(group) ?? []).map((host) => ({
    name: host,
    address: reader.text(host, 'back_address') ?? reader.text(host, 'ansible_host') ?? host,
    apiPort: reader.number(host, 'haproxy_api_port', 1, 65_535) ?? 9999,
  }));
}

/** The members of the store that the role etcd makes; none when a single daemon keeps files. */
function etcdOf(reader: Reader, host: string): readonly string[] {
  const given = reader.texts(host, 'failover_etcd');
  if (given.length > 0 || reader.text(host, 'site_failover_store') !== 'etcd') return given;
  return reader.entries(host, 'etcd_addresses').map(([member, address]) => {
    const port = reader.number(member, 'etcd_client_port', 1, 65_535) ?? 2379;
    return hostPort(address, port);
  });
}

/** A single watch keeps files on its balancer; the role failover_watch serves them there. */
function keeperOf(reader: Reader, host: string): InventoryCluster['keeper'] {
  const keeper = reader.text(host, 'failover_keeper');
  if (keeper === undefined) return undefined;
  return { host: keeper, port: reader.number(keeper, 'failover_keeper_port', 1, 65_535) ?? 9998 };
}

function tlsOf(reader: Reader, host: string): Cluster['tls'] {
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

function settingsOf(reader: Reader, host: string): FailoverSettings {
  const settings = { ...defaultSettings() };
  for (const [name, { variable, least, most }] of Object.entries(NUMBER_SETTINGS)) {
    const value = reader.number(host, variable, least, most);
    if (value !== undefined) Object.assign(settings, { [name]: value });
  }
  const { allowOtherDataCentre, asyncWhenAlone, hooks, webhook, email, command } = OTHER_SETTINGS;
  return {
    ...settings,
    allowOtherDataCentre: reader.boolean(host, allowOtherDataCentre.variable) ?? allowOtherDataCentre.default,
    asyncWhenAlone: reader.boolean(host, asyncWhenAlone.variable) ?? asyncWhenAlone.default,
    hooks: reader.hooks(host, hooks.variable),
    notify: {
      webhook: reader.text(host, webhook.variable),
      email: reader.text(host, email.variable),
      command: reader.text(host, command.variable),
    },
  };
}

/** Reads variables, and collects what is wrong with them. */
class Reader {
  readonly #variables: SiteVariables;
  readonly #problems: Problem[] = [];

  constructor(variables: SiteVariables) {
    this.#variables = variables;
  }

  text(host: string, variable: string): string | undefined {
    const value = this.#value(host, variable);
    if (value === undefined || value === null || value === '') return undefined;
    if (isList(value) || isDict(value)) {
      this.problem(host, variable, 'it is no text');
      return undefined;
    }
    return String(value).trim();
  }

  texts(host: string, variable: string): readonly string[] {
    const value = this.#value(host, variable);
    if (value === undefined || value === null) return [];
    return (isList(value) ? value : [value]).map(String);
  }

  boolean(host: string, variable: string): boolean | undefined {
    const value = this.#value(host, variable);
    if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined;
    this.problem(host, variable, `"${String(toPlain(value))}" is neither true nor false`);
    return undefined;
  }

  number(host: string, variable: string, least: number, most: number): number | undefined {
    const text = this.text(host, variable);
    if (text === undefined) return undefined;
    const number = Number(text);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    this.problem(host, variable, `"${text}" is no whole number from ${least} to ${most}`);
    return undefined;
  }

  entries(host: string, variable: string): readonly (readonly [string, string])[] {
    const value = this.#value(host, variable);
    if (value === undefined || value === null) return [];
    if (isDict(value)) return [...value].map(([key, item]) => [String(key), String(item)] as const);
    this.problem(host, variable, 'it is no dictionary');
    return [];
  }

  account(host: string, name: string): Account {
    return this.accountOf(host, `mysql_${name}`, name);
  }

  accountOf(host: string, prefix: string, fallback: string): Account {
    const user = this.text(host, `${prefix}_user`) ?? fallback;
    const password = this.text(host, `${prefix}_password`);
    if (password === undefined) {
      this.problem(
        host,
        `${prefix}_password`,
        'it is not set',
        'the group_vars beside the playbook set it; is the playbook the right one (UNDERSTUDY_PLAYBOOK)?',
      );
    }
    return { user, password: new Secret(password ?? '') };
  }

  hooks(host: string, variable: string): FailoverSettings['hooks'] {
    const value = this.#value(host, variable);
    if (value === undefined || value === null) return {};
    if (!isDict(value)) {
      this.problem(host, variable, 'it is no dictionary of hooks and their executables');
      return {};
    }
    const hooks: Partial<Record<HookName, string>> = {};
    for (const [key, path] of value) {
      const name = String(key);
      if (!isHook(name)) {
        const hint = didYouMean(name, HOOK_NAMES) ?? `there are ${HOOK_NAMES.join(', ')}`;
        this.problem(host, variable, `there is no hook "${name}"`, hint);
      } else hooks[name] = String(path);
    }
    return hooks;
  }

  problem(host: string, variable: string, message: string, hint?: string): void {
    const problem: Problem = {
      message: `${host}: ${variable}: ${message}`,
      hint,
      location: this.#variables.placeOf(host, variable),
    };
    // What is written for a group is wrong for each of its hosts, and said once.
    const isKnown = this.#problems.some(
      (other) =>
        other.location !== undefined &&
        other.location.file === problem.location?.file &&
        other.location.line === problem.location.line &&
        other.message.split(': ').slice(1).join() === problem.message.split(': ').slice(1).join(),
    );
    if (!isKnown) this.#problems.push(problem);
  }

  throwProblems(): void {
    if (this.#problems.length > 0) throw new UserError(this.#problems);
  }

  #value(host: string, variable: string): Value | undefined {
    try {
      return this.#variables.of(host).get(variable);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      for (const problem of error.problems) {
        this.problem(host, variable, problem.message, problem.hint);
      }
      return undefined;
    }
  }
}
