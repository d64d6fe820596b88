import type { Scope } from '../plan/variables.ts';
import type { Task, TaskNode } from '../playbook/ast.ts';
import { renderString } from '../template/render.ts';
import { environmentOf, scopeOf } from './scope.ts';
import { explainError, TaskError } from './task-error.ts';
import type { Handler, PlayRun } from './world.ts';

/** The play's handlers, in the order in which they run. */
export function collectHandlers(nodes: readonly TaskNode[]): readonly Handler[] {
  const tasks = nodes.flatMap((node): readonly Task[] =>
    node.kind === 'task' ? [node] : collectHandlers(node.block).map((handler) => handler.task),
  );
  return tasks.map((task) => {
    const name = task.name?.text ?? task.action.text;
    return { task, key: task.role ? `${task.role.name} : ${name}` : name };
  });
}

/** The keys of the handlers that a task notifies: by name, by `role : name`, or by a topic they listen to. */
export function handlersNotifiedBy(run: PlayRun, task: Task, scope: Scope): readonly string[] {
  const keys: string[] = [];
  for (const topic of task.notify) {
    let name: string;
    try {
      name = String(
        renderString(
          topic.text,
          scope,
          environmentOf(run.world, task.role, () => scope),
          topic.at,
        ),
      );
    } catch (error) {
      throw explainError(error, topic.at, 'notify');
    }
    const found = handlersFor(run, name, task);
    if (found.length === 0) {
      const { file, line, column } = topic.at;
      throw new TaskError(`${file}:${line}:${column}: no handler is called "${name}" or listens to it`);
    }
    keys.push(...found.map((handler) => handler.key));
  }
  return keys;
}

function handlersFor(run: PlayRun, name: string, task: Task): readonly Handler[] {
  const listening = run.handlers.filter((handler) =>
    handler.task.listen.some((topic) => topic.text === name),
  );
  const named = run.handlers.filter((handler) => handler.key === name || handlerName(run, handler) === name);
  // Of several handlers with one name, the task's own role comes first; otherwise the last one defined wins.
  const own = named.find((handler) => handler.task.role?.name === task.role?.name) ?? named.at(-1);
  return own ? [...listening, own] : listening;
}

function handlerName(run: PlayRun, handler: Handler): string {
  const text = handler.task.name?.text ?? '';
  const host = run.batch[0];
  if (!host || !text.includes('{{')) return text;
  const scope = scopeOf(run, host, handler.task);
  try {
    return String(
      renderString(
        text,
        scope,
        environmentOf(run.world, handler.task.role, () => scope),
        handler.task.at,
      ),
    );
  } catch {
    // Ansible, too, lets a handler keep its raw name when that cannot be rendered.
    return text;
  }
}
