import type { Task } from './ast.ts';
import { importer } from './imports.ts';
import type { PlayParts } from './place.ts';

type Inclusion = NonNullable<Task['inclusion']>;

/** The play as what an include brings in sees it, and what that inherits from the include. */
export function includedPlay(task: Task): {
  readonly play: PlayParts;
  readonly inherited: Omit<Inclusion, 'directory' | 'collections' | 'playVars'>;
} {
  if (!task.inclusion) throw new Error(`${task.action.text} was not loaded as an include`);
  const { directory, collections, playVars, ...inherited } = task.inclusion;
  return {
    play: { directory, collections, vars: playVars, roles: [], handlers: [], applications: [], importer },
    inherited,
  };
}
