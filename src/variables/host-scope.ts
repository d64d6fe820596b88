import type { Dict } from '../lib/value.ts';
import type { RoleContext, VarsBlock } from '../playbook/ast.ts';
import { environmentFor, type Reachable } from './environment.ts';
import {
  hostMagic,
  magicVariables,
  type MagicView,
  type PlayView,
  type SiteView,
  type TaskView,
} from './magic.ts';
import { type Layer, layersOf, Scope } from './scope.ts';

/** Everything that a command is about, as far as variables can tell. */
export interface Site extends SiteView, Reachable {
  readonly extraVars: Dict;
}

/** A host, and what is known of it. */
export interface KnownHost {
  readonly name: string;
  /** Registered results and set_fact: values, not templates. */
  readonly values: Dict;
  /** Of include_vars: templates. */
  readonly includedVars: readonly VarsBlock[];
  /** What `setup` found. */
  readonly facts: Dict;
  /** Of the inventory and of the directories beside the playbook, weakest first. */
  readonly inventoryVars: readonly Layer[];
}

/** What a play adds for a host. */
export interface PlayVariables {
  readonly vars: VarsBlock | undefined;
  readonly varsFiles: readonly VarsBlock[];
  /** Every role of the play, in order. */
  readonly roles: readonly RoleContext[];
}

export interface Asker {
  readonly site: Site;
  /** Undefined where hosts are still to be chosen. */
  readonly host?: KnownHost | undefined;
  /** The play in which is asked, and what it adds; `hostvars` shows nothing of what plays add. */
  readonly play?: PlayView | undefined;
  readonly playVariables?: PlayVariables | undefined;
  readonly task?: TaskView | undefined;
  /** Of blocks, includes and the task itself, outermost first. */
  readonly taskVars?: readonly VarsBlock[] | undefined;
}

/**
 * What a host's variables are. Everybody asks here: tasks, `hostvars`, connecting, and the commands without a run. They
 * differ only in how much there is around the host: a play, a task.
 */
export function hostScope(asker: Asker): Scope {
  const { site, host, play, playVariables, task } = asker;
  const view: MagicView = { host, site, play, task };
  const scope: Scope = new Scope(
    layersOf({
      magic: magicVariables(view, () => scope),
      hostMagic: hostMagic(view),
      extraVars: site.extraVars,
      hostValues: host?.values,
      includedVars: host?.includedVars ?? [],
      facts: host?.facts,
      inventory: host?.inventoryVars ?? [],
      playVars: playVariables?.vars,
      playVarsFiles: playVariables?.varsFiles ?? [],
      playRoles: playVariables?.roles ?? [],
      role: task?.role,
      taskVars: asker.taskVars ?? [],
    }),
    (variables) => environmentFor(site, task?.role, variables),
  );
  return scope;
}
