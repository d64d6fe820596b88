import type { Inventory, VariableLayer } from '../inventory/inventory.ts';
import { selectHosts } from '../inventory/select.ts';
import { hostLayers, loadVarsDirectories, type VarsDirectories } from '../inventory/variables.ts';
import { SecretRegistry } from '../lib/secret.ts';
import type { Dict } from '../lib/value.ts';
import type { RoleContext, VarsBlock } from '../playbook/ast.ts';
import type { Reachable } from './environment.ts';
import { hostScope, type KnownHost, type PlayVariables, type Site } from './host-scope.ts';
import { keptPasswordsOnly } from './kept-passwords.ts';
import type { CommandView, PlayView } from './magic.ts';
import type { Layer, Scope } from './scope.ts';

export interface KnownSiteOptions {
  readonly inventory: Inventory;
  /** Where the site's playbook is, with its group_vars/, host_vars/ and roles/. */
  readonly playbookDirectory: string;
  readonly playbookVars?: VarsDirectories | undefined;
  readonly extraVars?: Dict | undefined;
  readonly secrets?: SecretRegistry | undefined;
  readonly command?: Partial<CommandView> | undefined;
  /** The play that the hosts will be in, as far as it is known. */
  readonly play?: PlannedPlay | undefined;
  /** Without it, only what is kept already is looked up: nothing is made. */
  readonly beforeLookup?: Reachable['beforeLookup'];
}

export interface PlannedPlay {
  readonly name?: string | undefined;
  readonly vars?: VarsBlock | undefined;
  readonly roles: readonly RoleContext[];
}

/** The hosts of an inventory as a command sees them that has no run: no facts, nothing registered. */
export interface KnownSite {
  readonly site: Site;
  readonly variablesOf: (host: string) => Scope;
  /** Where a host's own variables are from, weakest first. */
  readonly layersOf: (host: string) => readonly VariableLayer[];
}

const PLAIN: CommandView = {
  checkMode: false,
  diffMode: false,
  verbosity: 0,
  forks: 1,
  tags: [],
  skipTags: [],
  limit: undefined,
};

/**
 * What is known of hosts before or without a run. As with Ansible's ad-hoc commands, there is a play all the same: all
 * hosts that the command is for are in it.
 */
export function knownSite(options: KnownSiteOptions): KnownSite {
  const { inventory, playbookDirectory, secrets = new SecretRegistry(), play } = options;
  const playbookVars = options.playbookVars ?? loadVarsDirectories(playbookDirectory);
  const command = { ...PLAIN, ...options.command };
  const chosen = (): readonly string[] => selectHosts(inventory, 'all', command.limit).hosts;
  const playView: PlayView = {
    name: play?.name ?? 'all',
    hosts: chosen,
    activeHosts: chosen,
    activeBatch: chosen,
    roles: play?.roles ?? [],
  };
  const playVariables: PlayVariables | undefined = play && {
    vars: play.vars,
    varsFiles: [],
    roles: play.roles,
  };
  const layersOf = (host: string): readonly VariableLayer[] => hostLayers(inventory, playbookVars, host);
  const hosts = remembered((name): KnownHost => ({
    name,
    values: new Map(),
    includedVars: [],
    facts: new Map(),
    inventoryVars: layersOf(name).map(asLayer),
  }));
  const shown = remembered((name) => hostScope({ site, host: hosts(name), play: playView }));
  const variablesOf = remembered((name) =>
    hostScope({ site, host: hosts(name), play: playView, playVariables }),
  );
  const site: Site = {
    playbookDirectory,
    secrets,
    command,
    extraVars: options.extraVars ?? new Map(),
    beforeLookup: options.beforeLookup ?? keptPasswordsOnly(playbookDirectory),
    inventory: () => inventory,
    hostNames: () => inventory.hosts.keys(),
    variablesOf: (name) => (inventory.hosts.has(name) ? shown(name) : undefined),
  };
  return { site, variablesOf, layersOf };
}

/** A layer of an inventory as one of a scope. */
export function asLayer({ values, at }: VariableLayer): Layer {
  return { values, written: true, at };
}

function remembered<Result>(make: (name: string) => Result): (name: string) => Result {
  const made = new Map<string, Result>();
  return (name) => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const result = make(name);
    made.set(name, result);
    return result;
  };
}
