import type { Problem } from '../lib/errors.ts';
import { type AppliedRole, applyRole } from './apply-role.ts';
import type { RoleContext, Task } from './ast.ts';
import { includedPlay } from './included-play.ts';
import { LoadContext } from './load-context.ts';
import type { LoaderOptions } from './loader-options.ts';
import { isOff, type RoleFiles } from './role-files.ts';

/** A role that was loaded during a run. */
export interface LoadedRole extends AppliedRole {
  /** The role and its dependencies, these first. */
  readonly roles: readonly RoleContext[];
  readonly warnings: readonly Problem[];
}

/** Loads a role for include_role, with what its tasks inherit from the include. */
export function loadRole(name: string, task: Task, from: RoleFiles, options: LoaderOptions): LoadedRole {
  const { play, inherited } = includedPlay(task);
  const context = new LoadContext(options);
  const applied = applyRole(context, play, {
    name,
    from,
    inherited,
    entryVars: [],
    params: [],
    parent: task.role,
    once: undefined,
    isUnchecked: isOff(task.args.value.get('rolespec_validate')),
    chain: [],
    report: (message, hint) =>
      context.problems.push({ message, location: task.at, ...(hint === undefined ? {} : { hint }) }),
  });
  context.finish();
  if (!applied) throw new Error(`the role ${name} could not be loaded, and nothing says why`);
  return {
    ...applied,
    handlers: [...applied.handlers, ...play.handlers],
    roles: play.roles,
    warnings: context.warnings,
  };
}
