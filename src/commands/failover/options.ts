import { type Command, InvalidArgumentError } from 'commander';
import { existsSync } from 'node:fs';
import { userInfo, hostname } from 'node:os';

import { settings } from '../../config/settings.ts';
import type { Cluster } from '../../failover/cluster/cluster.ts';
import type { InstanceSpec } from '../../failover/cluster/topology.ts';
import { UserError } from '../../lib/errors.ts';
import { didYouMean } from '../../lib/similar.ts';
import type { Dict } from '../../lib/value.ts';
import { parseExtraVariables } from '../provision/extra-variables.ts';
import type { ClusterWish } from './choose-cluster.ts';

export { addExamples } from '../provision/options.ts';

/** Where clusters are described, and which of them is meant. */
export interface ClusterChoice extends ClusterWish {
  readonly inventory: string;
  /** A daemon's file, or its directory of them, instead of an inventory. */
  readonly description?: string | undefined;
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

/** Adds -i, --cluster, --group and -e, and what they mean together. */
export function addClusterOptions(command: Command): Command {
  return command
    .option('-i, --inventory <path>', `hosts.yml or its directory (default: ${settings().inventory})`)
    .option(
      '--cluster <name>',
      "which cluster, when there are several; a path is a daemon's description of it (or a directory of those), instead of an inventory",
    )
    .option('--group <name>', 'which cluster, by the group of its hosts')
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

/**
 * The choice that the options make. `instances` are words of the command line that name instances: with several
 * clusters they choose the one that has them.
 */
export function clusterChoice(
  command: Command,
  ...instances: readonly (string | undefined)[]
): ClusterChoice {
  const raw = command.opts<RawChoice>();
  const isFile = raw.cluster !== undefined && isPath(raw.cluster);
  if (isFile && raw.inventory !== undefined) {
    throw new UserError('--cluster with a file and --inventory exclude each other');
  }
  if (raw.cluster !== undefined && !isFile && raw.group !== undefined) {
    throw new UserError('--cluster and --group exclude each other');
  }
  return {
    inventory: raw.inventory ?? settings().inventory,
    description: isFile ? raw.cluster : raw.inventory === undefined ? ownClusters() : undefined,
    cluster: isFile ? undefined : raw.cluster,
    group: raw.group,
    instances: instances.filter((word) => word !== undefined),
    extraVars: raw.extraVars ?? new Map(),
    withoutStore: raw.store === false,
  };
}

/** A name of a cluster has no slash; one may end in .json, unless there is such a file. */
function isPath(cluster: string): boolean {
  return cluster.includes('/') || (cluster.endsWith('.json') && existsSync(cluster));
}

/** On a host of a cluster, its `failover` names the descriptions that the role failover_watch has put there. */
function ownClusters(): string | undefined {
  const path = process.env['UNDERSTUDY_CLUSTER'];
  return path === '' ? undefined : path;
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
