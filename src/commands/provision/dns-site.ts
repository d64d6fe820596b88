import { dirname, resolve } from 'node:path';

import type { RunScript } from '../../balancer/dns.ts';
import { settings } from '../../config/settings.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { loadInventory } from '../../inventory/load.ts';
import { SecretRegistry } from '../../lib/secret.ts';
import type { Answer } from '../../site/dns/answers.ts';
import { askNames, updateName } from '../../site/dns/name-servers.ts';
import { type SiteDns, siteDnsSchema } from '../../site/dns/spec.ts';
import type { Connection } from '../../transport/transport.ts';
import { ClusterReader } from '../failover/cluster-reader.ts';
import { siteVariables } from '../failover/variables.ts';
import { onAnyBalancer } from './on-hosts.ts';
import type { InventoryOptions } from './options.ts';

const GROUP = 'balancers';
const VARIABLE = 'site_dns';
/** As the program `timeout` says it. */
const TIMED_OUT = 124;

/** The site's names: what the inventory says of them, and ways to those who have them. */
export interface DnsSite {
  readonly dns: SiteDns;
  /** The inventory's directory. */
  readonly directory: string;
  /** Asks the server that takes updates; without one, every server that is responsible for a name. */
  readonly ask: () => Promise<readonly Answer[]>;
  /** Sends one update for one name. */
  readonly update: (lines: readonly string[]) => Promise<void>;
}

/** Reads `site_dns`; undefined when the inventory has none. Rejects with all that is wrong with it. */
export function dnsSite(options: InventoryOptions): DnsSite | undefined {
  const inventory = loadInventory(options.inventory);
  const balancers = inventory.groups.get(GROUP) ?? [];
  const [first] = balancers;
  // Most inventories do not have it, and a look at all variables takes a while.
  if (first === undefined || !isSaid(inventory, first, options)) return undefined;
  const secrets = new SecretRegistry();
  const reader = new ClusterReader(
    siteVariables({
      inventory,
      playbookDirectory: dirname(resolve(settings().playbook)),
      extraVars: options.extraVariables,
      secrets,
      roles: ['keepalived', 'certificates'],
    }),
  );
  const dns = read(reader, first);
  reader.throwProblems();
  if (dns === undefined) return undefined;
  secrets.add(dns.update?.key_secret.reveal() ?? '');
  const onBalancer = async <T>(work: (name: string, run: RunScript) => Promise<T>): Promise<T> =>
    // All of them see the same name servers.
    await onAnyBalancer(
      options,
      async ({ connection }) => await work(connection.host, scriptOn(connection, secrets)),
    );
  return {
    dns,
    directory: inventory.directory,
    ask: async () => await onBalancer(async (name, run) => await askNames(dns, name, run)),
    update: async (lines) => await onBalancer(async (name, run) => await updateName(dns, name, run, lines)),
  };
}

/** Runs a script there without a trace of it in the list of processes, and without a secret in what it says. */
function scriptOn(connection: Connection, secrets: SecretRegistry): RunScript {
  return async (script, timeoutMs) => {
    const { status, stdout, stderr, timedOut } = await connection.run('sh -s', {
      stdin: Buffer.from(script),
      timeoutMs,
    });
    const text = (said: Buffer): string => secrets.redact(said.toString('utf8'));
    return { status: timedOut ? TIMED_OUT : status, stdout: text(stdout), stderr: text(stderr) };
  };
}

function isSaid(inventory: Inventory, host: string, { extraVariables }: InventoryOptions): boolean {
  const layers = inventory.hosts.get(host)?.layers ?? [];
  return extraVariables.has(VARIABLE) || layers.some(({ values }) => values.has(VARIABLE));
}

function read(reader: ClusterReader, balancer: string): SiteDns | undefined {
  const plain = reader.plain(balancer, VARIABLE);
  if (plain === undefined) return undefined;
  const parsed = siteDnsSchema.safeParse(plain);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      const where = path.length === 0 ? '' : `${path.map(String).join('.')}: `;
      reader.problem(balancer, VARIABLE, `${where}${message}`, 'docs/dns.md has its keys');
    }
    return undefined;
  }
  const floating = ['site_addresses', 'site_addresses6'].flatMap((name) => reader.texts(balancer, name));
  const { addresses = floating, ca = orderedFrom(reader, balancer) } = parsed.data;
  return { ...parsed.data, addresses, ...(ca !== undefined && { ca }) };
}

/** The authority that the balancers order certificates from, by its name in CAA records, where it is known. */
function orderedFrom(reader: ClusterReader, balancer: string): string | undefined {
  if (reader.text(balancer, 'tls_certificates') !== 'acme') return undefined;
  const directory = reader.text(balancer, 'tls_acme_directory') ?? '';
  return /^https:\/\/acme-[\w-]+\.api\.letsencrypt\.org\//.test(directory) ? 'letsencrypt.org' : undefined;
}
