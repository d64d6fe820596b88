import type { Task, TaskNode } from '../playbook/ast.ts';
import type { Scope } from '../variables/scope.ts';
import { scopeOf } from './scope.ts';
import type { ExtraLayers, HostRun, PlayRun } from './world.ts';

/** What is still to come: the rest of a list of tasks, then the rest of the list that it stands in. */
export interface Upcoming {
  readonly nodes: readonly TaskNode[];
  readonly from: number;
  readonly after: Upcoming | undefined;
  /** What these tasks see besides, such as the variables of the include that brought them in. */
  readonly extra?: ExtraLayers;
  /** Of the first task's loop, this many items are done. */
  readonly itemsDone?: number;
}

/** Where tasks stand in a play in progress. */
export interface Place {
  readonly run: PlayRun;
  /** What they see besides the play's variables. */
  readonly extra: ExtraLayers;
  readonly upcoming: Upcoming | undefined;
  /** Handlers run whatever the tags, and so do the tasks that they include. */
  readonly asHandlers?: true;
}

/** A task's turn on a host, for all that it does there; of a loop, for one item. */
export interface Turn extends Place {
  readonly task: Task;
  /** Whose task it is. */
  readonly host: HostRun;
  readonly scope: Scope;
}

/** A module's turn. */
export interface ModuleTurn extends Turn {
  /** Where it happens: another host when it is delegated. */
  readonly target: HostRun;
}

export function turnOf(place: Place, task: Task, host: HostRun): Turn {
  return { ...place, task, host, scope: scopeOf(place.run, host, task, place.extra) };
}
