import type { Problem } from '../lib/errors.ts';
import type { RoleContext, Task, TaskNode } from './ast.ts';
import { includedPlay } from './included-play.ts';
import { LoadContext } from './load-context.ts';
import type { LoaderOptions } from './loader-options.ts';
import { readTasksOf } from './read-tasks.ts';

/** Loads a file for include_tasks, with what its tasks inherit from the include. */
export function loadTaskFile(file: string, task: Task, options: LoaderOptions): readonly TaskNode[] {
  return loadIncludedTasks(file, task, options).tasks;
}

/** What an included file brings in. */
export interface IncludedTasks {
  readonly tasks: readonly TaskNode[];
  /** Of roles that the file imports. */
  readonly handlers: readonly TaskNode[];
  readonly roles: readonly RoleContext[];
  readonly warnings: readonly Problem[];
}

/** Like loadTaskFile, with what comes along besides tasks. */
export function loadIncludedTasks(file: string, task: Task, options: LoaderOptions): IncludedTasks {
  const { play, inherited } = includedPlay(task);
  const context = new LoadContext(options);
  const tasks = readTasksOf(context, { play, inherited, role: task.role, section: 'tasks', chain: [] }, file);
  context.finish();
  return { tasks, handlers: play.handlers, roles: play.roles, warnings: context.warnings };
}
