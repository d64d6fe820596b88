import type { Problem, SourceLocation } from '../lib/errors.ts';
import { isDict, isList, type Value } from '../lib/value.ts';
import { didYouMean } from '../lib/similar.ts';
import { findModule } from '../modules/find-module.ts';
import { registry } from '../modules/registry.ts';
import type { Playbook, Task, TaskNode } from '../playbook/ast.ts';
import { check } from '../template/render.ts';

/** Actions that the engine does itself, without a module. */
export const ENGINE_ACTIONS = [
  'add_host',
  'assert',
  'debug',
  'fail',
  'group_by',
  'include_role',
  'include_tasks',
  'include_vars',
  'meta',
  'set_fact',
  'set_stats',
] as const;

/** The short name of an action, without Ansible's namespaces. */
export function shortName(action: string): string {
  return action.replace(/^ansible\.(builtin|legacy)\./, '');
}

export function isEngineAction(action: string): boolean {
  return (ENGINE_ACTIONS as readonly string[]).includes(shortName(action));
}

/**
 * Everything about a playbook that can be found wrong before any host is asked: modules that do not exist, template
 * text that does not parse. A module behind a condition may be meant for a host that never comes, and is left alone.
 */
export function validatePlaybook(playbook: Playbook): readonly Problem[] {
  return playbook.plays.flatMap((play) => [
    ...[...play.preTasks, ...play.roleTasks, ...play.tasks, ...play.postTasks, ...play.handlers].flatMap(
      validateNode,
    ),
    ...checkValue(play.vars.values, play.vars.at),
  ]);
}

function validateNode(node: TaskNode): readonly Problem[] {
  if (node.kind === 'task') return validateTask(node);
  return [...node.block, ...node.rescue, ...node.always].flatMap(validateNode);
}

function validateTask(task: Task): readonly Problem[] {
  const problems: Problem[] = [];
  const isKnown = isEngineAction(task.action.text) || findModule(task.action.text) !== undefined;
  if (!isKnown && task.when.length === 0 && !task.action.text.includes('{{')) {
    const names = task.action.text.includes('.')
      ? Object.keys(registry)
      : [...ENGINE_ACTIONS, ...Object.keys(registry).map(lastName)];
    problems.push({
      message: `there is no module "${task.action.text}"`,
      location: task.action.at,
      hint: didYouMean(task.action.text, names) ?? 'docs/modules.md lists those there are',
    });
  }
  for (const text of [
    ...task.when,
    ...(task.changedWhen ?? []),
    ...(task.failedWhen ?? []),
    ...(task.until ?? []),
  ]) {
    problems.push(...check(text.text, 'expression', text.at));
  }
  problems.push(...checkValue(task.args.value, task.args.at));
  if (task.freeForm) problems.push(...check(task.freeForm.text, 'string', task.freeForm.at));
  if (task.loop) problems.push(...checkValue(task.loop.over.value, task.loop.over.at));
  for (const block of task.vars) problems.push(...checkValue(block.values, block.at));
  return problems;
}

function checkValue(value: Value, at: SourceLocation): readonly Problem[] {
  if (typeof value === 'string') return value.includes('{') ? check(value, 'string', at) : [];
  if (isList(value)) return value.flatMap((item) => checkValue(item, at));
  if (isDict(value)) return [...value.values()].flatMap((item) => checkValue(item, at));
  return [];
}

function lastName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
