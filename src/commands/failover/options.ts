import { type Command, InvalidArgumentError } from 'commander';
import { userInfo, hostname } from 'node:os';

import { settings } from '../../config/settings.ts';
import type { Cluster } from '../../failover/cluster/cluster.ts';
import type { InstanceSpec } from '../../failover/cluster/topology.ts';
import { UserError } from '../../lib/errors.ts';
import { didYouMean } from '../../lib/similar.ts';
import type { Dict } from '../../lib/value.ts';
import { parseExtraVariables } from '../provision/extra-variables.ts';

export { addExamples } from '../provision/options.ts';

/** Where the cluster is described. */
export interface ClusterChoice {
  readonly inventory: string;
  /** A daemon's file instead of an inventory. */
  readonly cluster?: string | undefined;
  readonly group?: string | undefined;
  readonly extraVars: Dict;
  /** The lock and the journal are files here, although the cluster has a store. */
  readonly withoutStore: boolean;
}

interface RawChoice {
  readonly store?: boolean;
  readonly inventory?: string;
  readonly cluster?: string;
  readonly group?: string;
  readonly extraVars?: Dict;
}

/** Adds -i, --cluster, --group and -e. */
export function addClusterOptions(command: Command): Command {
  return command
    .option('-i, --inventory <path>', `hosts.yml or its directory (default: ${settings().inventory})`)
    .option('--cluster <file>', "a daemon's description of the cluster, instead of an inventory")
    .option('--group <name>', 'the group of the cluster, when the inventory has several')
    .option(
      '-e, --extra-vars <vars>',
      'variables that beat all others: KEY=VALUE, YAML or @FILE',
      (text: string, before: Dict | undefined): Dict =>
        new Map([...(before ?? []), ...parseExtraVariables(text)]),
    );
}

/** Adds --no-store: for the night when the store is lost, too. */
export function addStoreOption(command: Command): Command {
  return command.option(
    '--no-store',
    'etcd is lost: keep lock and journal here. No watch acts without etcd; see to it that no other operator does',
  );
}

export function clusterChoice(command: Command): ClusterChoice {
  const raw = command.opts<RawChoice>();
  if (raw.cluster !== undefined && raw.inventory !== undefined) {
    throw new UserError('--cluster and --inventory exclude each other');
  }
  return {
    inventory: raw.inventory ?? settings().inventory,
    cluster: raw.cluster ?? (raw.inventory === undefined ? ownCluster() : undefined),
    group: raw.group,
    extraVars: raw.extraVars ?? new Map(),
    withoutStore: raw.store === false,
  };
}

/** On a host of the cluster itself, its `failover` names the description that the role failover_watch has put there. */
function ownCluster(): string | undefined {
  const file = process.env['UNDERSTUDY_CLUSTER'];
  return file === '' ? undefined : file;
}

/** The instance of that name, or on the host of that name. */
export function findInstance(cluster: Cluster, word: string): InstanceSpec {
  const found =
    cluster.instances.find((spec) => spec.name === word) ??
    cluster.instances.find((spec) => spec.host === word);
  if (found) return found;
  const names = cluster.instances.flatMap((spec) => [spec.name, spec.host]);
  throw new UserError({
    message: `${cluster.name} has no instance "${word}"`,
    hint:
      didYouMean(word, names) ??
      `it has ${cluster.instances.map((spec) => (spec.name === spec.host ? spec.name : `${spec.name} (on ${spec.host})`)).join(', ')}`,
  });
}

/** For journal and lock: who does it. */
export function operatorName(): string {
  let user = process.env['SUDO_USER'] ?? '';
  try {
    if (user === '') user = userInfo().username;
  } catch {
    user = String(process.getuid?.() ?? 'somebody');
  }
  return `${user}@${hostname()}`;
}

/** `90`, `30s`, `15m`, `2h`, `1d` in milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?$/.exec(text.trim());
  const unit = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? 's'];
  const ms = Math.round(Number(match?.[1]) * (unit ?? Number.NaN));
  if (!Number.isFinite(ms) || ms <= 0) {
    throw new InvalidArgumentError('It is a time like 90s, 15m, 2h or 1d.');
  }
  return ms;
}
