import type { Scope } from '../variables/scope.ts';
import type { Task, TaskNode } from '../playbook/ast.ts';
import { scopeOf } from './scope.ts';
import { explainError, TaskError } from './task-error.ts';
import type { Handler, PlayRun } from './world.ts';

/** The play's handlers, in the order in which they run. */
export function collectHandlers(nodes: readonly TaskNode[]): readonly Handler[] {
  const handlers = flatTasks(nodes).map((task) => {
    const name = task.name?.text ?? task.action.text;
    return { task, key: task.role ? `${task.role.name} : ${name}` : name };
  });
  // Names may be shared; keys are not.
  return handlers.map((handler, index) => {
    const same = handlers.slice(index + 1).filter((later) => later.key === handler.key).length;
    return same === 0 ? handler : { ...handler, key: `${handler.key} (${same} before the last)` };
  });
}

/** The tasks of a list, those of blocks among them. */
export function flatTasks(nodes: readonly TaskNode[]): readonly Task[] {
  return nodes.flatMap((node) => (node.kind === 'task' ? [node] : flatTasks(node.block)));
}

/** The keys of the handlers that a task notifies: by name, by `role : name`, or by a topic they listen to. */
export function handlersNotifiedBy(run: PlayRun, task: Task, scope: Scope): readonly string[] {
  const keys: string[] = [];
  for (const topic of task.notify) {
    let name: string;
    try {
      name = scope.renderText(topic.text, topic.at);
    } catch (error) {
      throw explainError(error, topic.at, 'notify');
    }
    const found = handlersFor(run, name);
    if (found.length === 0) {
      const { file, line, column } = topic.at;
      throw new TaskError(`${file}:${line}:${column}: no handler is called "${name}" or listens to it`);
    }
    keys.push(...found.map((handler) => handler.key));
  }
  return keys;
}

function handlersFor(run: PlayRun, name: string): readonly Handler[] {
  const listening = run.handlers.filter((handler) =>
    handler.task.listen.some((topic) => topic.text === name),
  );
  const named = lastOf(
    run.handlers.filter(({ key, task }) => {
      const own = handlerName(run, task);
      return key === name || own === name || (task.role && `${task.role.name} : ${own}` === name);
    }),
  );
  return named ? [...listening, named] : listening;
}

/** Of several handlers with one name the last list wins, the play's over a role's, and in a list the first one. */
function lastOf(handlers: readonly Handler[]): Handler | undefined {
  const last = handlers.at(-1);
  return handlers.find(({ task }) => task.role === last?.task.role && task.at.file === last?.task.at.file);
}

function handlerName(run: PlayRun, task: Task): string {
  const text = task.name?.text ?? '';
  const host = run.batch[0];
  if (!host || !text.includes('{{')) return text;
  const scope = scopeOf(run, host, task);
  try {
    return scope.renderText(text, task.at);
  } catch {
    // Ansible, too, lets a handler keep its raw name when that cannot be rendered.
    return text;
  }
}
