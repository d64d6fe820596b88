import type { Problem } from '../lib/errors.ts';
import { didYouMean } from '../lib/similar.ts';
import type { Play, Task, TaskNode } from '../playbook/ast.ts';
import { isTemplate } from '../template/render.ts';

/** What `meta` can do. */
const META = [
  'clear_facts',
  'clear_host_errors',
  'end_batch',
  'end_host',
  'end_play',
  'end_role',
  'flush_handlers',
  'noop',
  'refresh_inventory',
  'reset_connection',
] as const;

/** What is wrong with a `meta` task. */
export function metaProblems(task: Task): readonly Problem[] {
  const what = task.freeForm?.text.trim();
  const hint = `there are ${META.join(', ')}`;
  if (what === undefined) return [{ message: '"meta": expected what to do', location: task.action.at, hint }];
  if (what === 'end_role' && !task.role) {
    return [{ message: '"meta: end_role" stands outside of a role', location: task.action.at }];
  }
  if ((META as readonly string[]).includes(what)) return [];
  return [
    {
      message: `"meta: ${what}" is not supported`,
      location: task.freeForm?.at ?? task.action.at,
      hint: didYouMean(what, META) ?? hint,
    },
  ];
}

/**
 * Notified names that no handler of the play has, but that are nearly those of one. An include may bring handlers; then
 * nothing is certain. A name that is like none may be meant for a handler of another role: the run will tell, as with
 * Ansible.
 */
export function notifyProblems(play: Play): readonly Problem[] {
  const handlers = flat(play.handlers);
  const tasks = flat([
    ...play.preTasks,
    ...play.roleTasks,
    ...play.tasks,
    ...play.postTasks,
    ...play.handlers,
  ]);
  const mayGrow = tasks.some((task) => /(^|\.)include_(role|tasks)$/.test(task.action.text));
  const names = handlers.flatMap((handler) => namesOf(handler));
  if (mayGrow || names.some(isTemplate)) return [];
  const unknown = tasks.flatMap((task) =>
    task.notify.filter((topic) => !isTemplate(topic.text) && !names.includes(topic.text)),
  );
  // A keyword of a block is on each of its tasks.
  const places = new Map(unknown.map((topic) => [topic.at, topic]));
  return [...places.values()].flatMap((topic) => {
    const hint = didYouMean(topic.text, names);
    if (hint === undefined) return [];
    return [{ message: `no handler is called "${topic.text}" or listens to it`, location: topic.at, hint }];
  });
}

function namesOf(handler: Task): readonly string[] {
  const name = handler.name?.text;
  const topics = handler.listen.map((topic) => topic.text);
  if (name === undefined) return topics;
  return [name, ...(handler.role ? [`${handler.role.name} : ${name}`] : []), ...topics];
}

function flat(nodes: readonly TaskNode[]): readonly Task[] {
  return nodes.flatMap((node) =>
    node.kind === 'task' ? [node] : flat([...node.block, ...node.rescue, ...node.always]),
  );
}
