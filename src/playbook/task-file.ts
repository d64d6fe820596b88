import type { Task, TaskNode } from './ast.ts';
import { importer } from './imports.ts';
import { LoadContext } from './load-context.ts';
import type { LoaderOptions } from './loader-options.ts';
import { readTasksOf } from './read-tasks.ts';

/** Loads a file for include_tasks, with what its tasks inherit from the include. */
export function loadTaskFile(file: string, task: Task, options: LoaderOptions): readonly TaskNode[] {
  return loadIncludedTasks(file, task, options).tasks;
}

/** What an included file brings in: its tasks, and the handlers of roles that it imports. */
export function loadIncludedTasks(
  file: string,
  task: Task,
  options: LoaderOptions,
): { tasks: readonly TaskNode[]; handlers: readonly TaskNode[] } {
  const { inclusion } = task;
  if (!inclusion) throw new Error(`${task.action.text} was not loaded as an include`);
  const { directory, playVars, ...inherited } = inclusion;
  const context = new LoadContext(options);
  const play = { directory, vars: playVars, roles: [], handlers: [], applications: [], importer };
  const tasks = readTasksOf(context, { play, inherited, role: task.role, section: 'tasks', chain: [] }, file);
  context.finish();
  return { tasks, handlers: play.handlers };
}
