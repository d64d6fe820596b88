import type { Task } from '../playbook/ast.ts';
import { shortName } from '../validate/validate.ts';
import { scopeOf } from './scope.ts';
import type { HostRun, PlayRun } from './world.ts';

/** How a task without a name is called. */
function unnamed(task: Task): string {
  const { action, args } = task;
  if (shortName(action.text) !== 'include_role') return action.text;
  return `${action.text} : ${String(args.value.get('name') ?? args.value.get('role') ?? '')}`;
}

/** A task's name for reports; variables that are not known leave it as written. */
export function taskName(run: PlayRun, task: Task, host: HostRun | undefined): string {
  const text = task.name?.text ?? unnamed(task);
  if (!text.includes('{{') || !host) return text;
  const scope = scopeOf(run, host, task);
  try {
    return scope.renderText(text, task.at);
  } catch {
    return text;
  }
}
