import { dirname, join, resolve } from 'node:path';

import { settings } from '../../config/settings.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { loadInventory } from '../../inventory/load.ts';
import { mapLimit } from '../../lib/concurrency.ts';
import { type Problem, UserError } from '../../lib/errors.ts';
import { SecretRegistry } from '../../lib/secret.ts';
import { parseReleases, releasesScript, type ServerReleases } from '../../release/servers.ts';
import { type ReleaseStore, releaseStore } from '../../release/store.ts';
import { sshTransport } from '../../transport/ssh.ts';
import { becomePassword } from '../../variables/address.ts';
import { ClusterReader } from '../failover/cluster-reader.ts';
import { siteVariables } from '../failover/variables.ts';
import { addressesIn } from './addresses.ts';
import type { InventoryOptions } from './options.ts';

/** What the inventory says of the app. */
export interface AppSettings {
  /** The file of a release that is started. */
  readonly entry: string;
  readonly buildCommand: string;
  readonly buildResult: string;
  readonly releasesKept: number;
  /** The folder of what is served as long as nothing was deployed, and that release's name. */
  readonly source: string;
  readonly release: string;
}

/** What a server says, or why it does not. */
export type ServerAnswer =
  | { readonly kind: 'answering'; readonly releases: ServerReleases }
  | { readonly kind: 'silent'; readonly why: string };

/** The app of an inventory: its settings, its servers and the releases that are kept for them. */
export interface AppSite {
  readonly inventory: Inventory;
  /** Those that serve the app. */
  readonly servers: readonly string[];
  readonly settings: AppSettings;
  readonly store: ReleaseStore;
  readonly playbook: string;
  /** Asks servers what they serve. */
  readonly ask: (servers: readonly string[]) => Promise<ReadonlyMap<string, ServerAnswer>>;
}

const GROUP = 'servers';

/** Reads what the inventory says of the app; rejects with all that is wrong. */
export function appSite(options: InventoryOptions): AppSite {
  const inventory = loadInventory(options.inventory);
  const playbookDirectory = dirname(resolve(settings().playbook));
  const variables = siteVariables({
    inventory,
    playbookDirectory,
    extraVars: options.extraVariables,
    secrets: new SecretRegistry(),
    roles: ['app'],
  });
  const reader = new ClusterReader(variables);
  const servers = (inventory.groups.get(GROUP) ?? []).filter(
    (host) => reader.boolean(host, 'site_serves') ?? true,
  );
  const [first] = servers;
  if (first === undefined) {
    throw new UserError({
      message: `the inventory ${options.inventory} has no servers that serve an app`,
      hint: `they are the group "${GROUP}"`,
    });
  }
  refuseOwnSource(options, (name) => variables.placeOf(first, name));
  const text = (name: string): string => {
    const value = reader.text(first, name);
    if (value === undefined)
      reader.problem(first, name, 'it is not set', 'the role app has a default for it');
    return value ?? '';
  };
  const found = {
    entry: text('app_entry'),
    buildCommand: text('app_build_command'),
    buildResult: text('app_build_result'),
    releasesKept: reader.number(first, 'app_releases_kept', 1, 1000) ?? 3,
    source: text('app_source'),
    release: text('app_release'),
  };
  const roots = new Map(servers.map((host) => [host, reader.text(host, 'app_root') ?? '']));
  reader.throwProblems();
  return {
    inventory,
    servers,
    settings: found,
    store: releaseStore(inventory.directory),
    playbook: join(playbookDirectory, 'deploy.yml'),
    ask: async (hosts) =>
      await ask(inventory, options, new Map(hosts.map((host) => [host, roots.get(host) ?? '']))),
  };
}

/** Who names the release in the inventory decides there what is served, and the record would say something else. */
function refuseOwnSource(
  { extraVariables }: InventoryOptions,
  placeOf: (variable: string) => Problem['location'],
): void {
  const problems = ['app_source', 'app_release', 'app_deployed'].flatMap((name): readonly Problem[] => {
    const location = placeOf(name);
    if (location === undefined && !extraVariables.has(name)) return [];
    return [
      {
        message: `${name} is set ${location === undefined ? 'on the command line' : 'in the inventory'}`,
        hint: 'remove it: the releases that are deployed are kept beside the inventory, and `provision up` finds them there',
        ...(location === undefined ? {} : { location }),
      },
    ];
  });
  if (problems.length > 0) throw new UserError(problems);
}

async function ask(
  inventory: Inventory,
  { extraVariables: extraVars }: InventoryOptions,
  roots: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, ServerAnswer>> {
  const addresses = addressesIn(inventory, { extraVars });
  const ssh = sshTransport({ hosts: addresses.jumpHost });
  const askOne = async (host: string, root: string): Promise<ServerAnswer> => {
    try {
      const address = addresses.of(host);
      if (address === undefined || address === 'local') throw new UserError('it is not reached by SSH');
      const password = becomePassword(addresses.site.variablesOf(host));
      const connection = await ssh.connect(address);
      const { status, stdout, stderr } = await connection.run(releasesScript(root), {
        become: { user: 'root', ...(password && { password }) },
      });
      if (status !== 0) throw new UserError(stderr.toString('utf8').trim());
      return { kind: 'answering', releases: parseReleases(stdout.toString('utf8')) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { kind: 'silent', why: error.problems[0]?.message ?? error.message };
    }
  };
  try {
    const answers = await mapLimit(
      [...roots],
      settings().forks,
      async ([host, root]) => [host, await askOne(host, root)] as const,
    );
    return new Map(answers);
  } finally {
    await ssh.close();
  }
}
