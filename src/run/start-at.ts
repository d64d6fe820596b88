import { matchesGlob } from 'node:path';

import type { Play, Task } from '../playbook/ast.ts';

/** Whether a task is the one that `--start-at-task` names: by its name, with its role before it or not, or a pattern. */
export function startsAt(wanted: string | undefined, task: Task, shownName: string): boolean {
  if (wanted === undefined) return true;
  const names = [shownName, task.name?.text ?? task.action.text];
  return names.some((name) => matches(wanted, name) || matches(wanted, withRole(task, name)));
}

/** Whether the task to start at stands in a play; what dynamic includes bring is not known yet, as in Ansible. */
export function playStarts(wanted: string | undefined, play: Play): boolean {
  const nodes = [...play.preTasks, ...play.roleTasks, ...play.tasks, ...play.postTasks];
  return allTasks(nodes).some((task) => startsAt(wanted, task, task.name?.text ?? task.action.text));
}

function allTasks(nodes: Play['tasks']): readonly Task[] {
  return nodes.flatMap((node) =>
    node.kind === 'task' ? [node] : allTasks([...node.block, ...node.rescue, ...node.always]),
  );
}

function withRole(task: Task, name: string): string {
  return task.role ? `${task.role.name} : ${name}` : name;
}

function matches(wanted: string, name: string): boolean {
  // A slash is nothing special in a name.
  const plain = (text: string): string => text.replaceAll('/', '\u2044');
  return wanted === name || matchesGlob(plain(name), plain(wanted));
}
