import type { SecretRegistry } from '../lib/secret.ts';
import type { Dict, Value } from '../lib/value.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { VarsDirectories } from '../inventory/variables.ts';
import type { LoaderOptions } from '../playbook/loader-options.ts';
import type { Play, Playbook, Task, RoleContext, VarsBlock } from '../playbook/ast.ts';
import type { Layer } from '../variables/scope.ts';
import type { Transport } from '../transport/transport.ts';
import type { EventSink, HostCounts } from './events.ts';
import type { Actor } from './host/actor.ts';
import type { Changes } from './host/changes.ts';
import type { Host } from './host/host.ts';
import type { SiteActions } from './host/site-actions.ts';
import type { HostSession } from './host/session.ts';

/** What the user asked for on the command line. */
export interface RunSettings {
  readonly checkMode: boolean;
  readonly diffMode: boolean;
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
  readonly extraVars: Dict;
  readonly limit: string | undefined;
  readonly forks: number;
  readonly startAtTask: string | undefined;
  readonly forceHandlers: boolean;
  readonly verbosity: number;
  readonly hostKeyChecking: 'strict' | 'accept-new';
  readonly connectTimeoutMs: number;
}

export type HostState = 'active' | 'failed' | 'unreachable' | 'ended';

/** One host in a run: what it knows, how it is doing, and what it still owes its handlers. */
export interface HostRun {
  readonly name: string;
  readonly session: HostSession;
  state: HostState;
  readonly counts: { -readonly [Count in keyof HostCounts]: HostCounts[Count] };
  /** Registered results and set_fact. */
  readonly values: Map<Value, Value>;
  readonly facts: Map<Value, Value>;
  includedVars: readonly VarsBlock[];
  /** Inventory variables, weakest first. */
  readonly inventoryVars: readonly Layer[];
  /** Those of add_host among them. */
  readonly addedVars: readonly Dict[];
  /** Keys of handlers that were notified and have not run. */
  readonly notified: Set<string>;
  /** Keys of handlers that earlier plays or runs left due; they stay noted. */
  readonly owed: Set<string>;
  /** Where a note of due handlers was left, and as whom (see facts/due-handlers.ts). */
  readonly notes: Map<string, { readonly target: HostRun; readonly actor: Actor }>;
  /** How many tasks ahead are worth reading for; shrinks when the host changes, grows while it does not. */
  window: number;
}

/** Everything that a run shares. */
export interface World {
  readonly inventory: Inventory;
  readonly settings: RunSettings;
  readonly transport: Transport;
  readonly secrets: SecretRegistry;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
  /** Hosts of the inventory, of add_host, and those that tasks were delegated to. */
  readonly hosts: Map<string, HostRun>;
  readonly groups: Map<string, string[]>;
  /** What was done so far to the machines of the run (see changed.ts). */
  readonly changes: Changes;
  /** Counts what may make a rendered variable different; see `learned` in changed.ts. */
  knowledge: number;
  /** The age of this machine when `knowledge` was counted last. */
  controllerAge: number;
  /** False for an engine that reads everything anew when a task needs it: what the others are measured by. */
  readonly readsAhead: boolean;
  /** Moves the service of the site; without it, a task that wants that fails. */
  readonly site?: SiteActions | undefined;
  /** What to work on in the place of hosts that are connected to. */
  readonly openHost?: (name: string) => Host;
  readonly playbook: Playbook;
  readonly loaderOptions: LoaderOptions;
  /** group_vars/ and host_vars/ beside the playbook. */
  readonly playbookVars: VarsDirectories;
  /** Tells the notes of this playbook's handlers from those of others. */
  readonly playbookId: string;
  /** The play that is running. */
  current: PlayRun | undefined;
  /** Whether `--start-at-task` was reached (or not asked for). */
  started: boolean;
  /** True while facts are planned for tasks to come: nothing may have an effect then. */
  readingAhead: boolean;
}

/** A handler of the play, by the name that notes on targets know it by. */
export interface Handler {
  readonly key: string;
  readonly task: Task;
}

/** A play in progress, for one batch of its hosts. */
export interface PlayRun {
  readonly world: World;
  readonly play: Play;
  /** As shown, with its templates rendered. */
  readonly name: string;
  /** Those of the play's vars_files; the names may depend on the host. */
  readonly varsFiles: Map<HostRun, readonly VarsBlock[]>;
  /** All hosts that the play's pattern and the limit select. */
  readonly allHosts: readonly HostRun[];
  readonly batch: readonly HostRun[];
  /** Included roles add theirs. */
  readonly handlers: Handler[];
  /** Roles that came by includes, whose variables the rest of the play sees. */
  readonly addedRoles: RoleContext[];
  /** Role applications that have begun on a host, by the role's key: a role that stands twice runs once. */
  readonly begunRoles: Map<string, Map<HostRun, RoleContext>>;
  /** Roles that `meta: end_role` ended on a host. */
  readonly endedRoles: Map<HostRun, Set<RoleContext>>;
}

/** Extra variables for one evaluation (a loop's item, an include's parameters). */
export type ExtraLayers = readonly Layer[];
