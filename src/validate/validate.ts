import type { Problem, SourceLocation } from '../lib/errors.ts';
import { isDict, isList, type Dict, type Value } from '../lib/value.ts';
import { didYouMean } from '../lib/similar.ts';
import { findModule } from '../modules/find-module.ts';
import type { AnyModule } from '../modules/kit/module.ts';
import { argumentValues, problemsBeforeRun } from '../modules/kit/parse.ts';
import { registry } from '../modules/registry.ts';
import type { Play, Playbook, Task, TaskNode, Text } from '../playbook/ast.ts';
import { check, isTemplate } from '../template/render.ts';
import { isLookup, LOOKUPS, shortLookupName } from '../variables/lookup-names.ts';
import { withModuleDefaults } from './module-defaults.ts';
import { loadModulesOf } from './load-modules.ts';
import { metaProblems, notifyProblems } from './validate-play.ts';

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
  'validate_argument_spec',
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
 * text that does not parse, arguments and handlers that there are not. A task behind a condition may be meant for a host
 * that never comes, and one whose failure is ignored or rescued may be meant to fail: they are judged when they run.
 */
export async function validatePlaybook(playbook: Playbook): Promise<readonly Problem[]> {
  await loadModulesOf(playbook.plays.flatMap(nodesOf));
  return playbook.plays.flatMap((play) => [
    ...nodesOf(play).flatMap((node) => validateNode(node, false)),
    ...checkValue(play.vars.values, play.vars.at),
    ...notifyProblems(play),
  ]);
}

/** All tasks of a play, its handlers too. */
export function nodesOf(play: Play): readonly TaskNode[] {
  return [...play.preTasks, ...play.roleTasks, ...play.tasks, ...play.postTasks, ...play.handlers];
}

function validateNode(node: TaskNode, isRescued: boolean): readonly Problem[] {
  if (node.kind === 'task') return validateTask(node, isRescued);
  return [
    ...node.block.flatMap((inner) => validateNode(inner, isRescued || node.rescue.length > 0)),
    ...[...node.rescue, ...node.always].flatMap((inner) => validateNode(inner, isRescued)),
  ];
}

function validateTask(task: Task, isRescued: boolean): readonly Problem[] {
  const mayFail = isRescued || (task.ignoreErrors?.value ?? false) !== false || task.failedWhen !== undefined;
  if (mayFail) return [];
  const conditions = task.when.flatMap((text) => expressionProblems(text));
  return task.when.length > 0 ? conditions : [...conditions, ...actionProblems(task)];
}

function expressionProblems({ text, at }: Text): readonly Problem[] {
  return [...check(text, 'expression', at), ...lookupProblems(text, at)];
}

function actionProblems(task: Task): readonly Problem[] {
  const problems: Problem[] = [];
  const module = findModule(task.action.text);
  const isKnown = isEngineAction(task.action.text) || module !== undefined;
  if (!isKnown && !task.action.text.includes('{{')) {
    const names = task.action.text.includes('.')
      ? Object.keys(registry)
      : [...ENGINE_ACTIONS, ...Object.keys(registry).map(lastName)];
    problems.push({
      message: `there is no module "${task.action.text}"`,
      location: task.action.at,
      hint: didYouMean(task.action.text, names) ?? 'docs/modules.md lists those there are',
    });
  }
  if (module) problems.push(...argumentProblems(task, module));
  else if (shortName(task.action.text) === 'meta') problems.push(...metaProblems(task));
  for (const text of [...(task.changedWhen ?? []), ...(task.until ?? [])])
    problems.push(...expressionProblems(text));
  problems.push(...checkValue(task.args.value, task.args.at));
  for (const text of [...(task.freeForm ? [task.freeForm] : []), ...(task.argsTemplates ?? [])])
    problems.push(...checkValue(text.text, text.at));
  if (task.loop) {
    problems.push(...checkValue(task.loop.over.value, task.loop.over.at));
    if (task.loop.kind !== 'loop') problems.push(...unknownLookup(task.loop.kind, task.loop.over.at));
  }
  for (const block of task.vars) problems.push(...checkValue(block.values, block.at));
  return problems;
}

/** What is wrong with a module's arguments whatever the variables will be. */
function argumentProblems(task: Task, module: AnyModule): readonly Problem[] {
  // A template for all arguments may give any.
  const defaults = task.moduleDefaults.map(({ value }) => value);
  if (task.argsTemplates || !defaults.every(isDict)) return [];
  const freeForm = task.freeForm?.text;
  const free: Dict = freeForm === undefined ? new Map() : new Map([['_raw_params', freeForm]]);
  const args = withModuleDefaults(task, defaults, new Map([...task.args.value, ...free]));
  const given = argumentValues(args);
  const open = new Set<string>();
  const isOpen = (value: Value): boolean =>
    (typeof value === 'string' && isTemplate(value)) ||
    (isList(value) && value.some(isOpen)) ||
    (isDict(value) && [...value].some(([key, item]) => isOpen(key) || isOpen(item)));
  for (const [key, value] of args) {
    const name = String(key);
    // Whole arguments may be left out by a name that is rendered, too.
    if (isTemplate(name)) return [];
    if (isOpen(value)) open.add(name);
  }
  return problemsBeforeRun(module, given, open).map((problem) => ({
    message: `${shortName(task.action.text)}: ${problem}`,
    location: task.args.at,
    hint: `see ${module.name} in docs/modules.md`,
  }));
}

function checkValue(value: Value, at: SourceLocation): readonly Problem[] {
  if (typeof value === 'string')
    return isTemplate(value) ? [...check(value, 'string', at), ...lookupProblems(value, at)] : [];
  if (isList(value)) return value.flatMap((item) => checkValue(item, at));
  if (isDict(value)) return [...value.values()].flatMap((item) => checkValue(item, at));
  return [];
}

/** Lookups that are called by a literal name which there is not. */
function lookupProblems(text: string, at: SourceLocation): readonly Problem[] {
  const calls = text.matchAll(/\b(?:lookup|query|q)\(\s*(["'])([\w.]+)\1/g);
  return [...calls].flatMap((call) => unknownLookup(call[2] ?? '', at));
}

function unknownLookup(name: string, at: SourceLocation): readonly Problem[] {
  const short = shortLookupName(name);
  if (isLookup(short)) return [];
  const hint = didYouMean(short, LOOKUPS) ?? `there are ${[...LOOKUPS].sort().join(', ')}`;
  return [{ message: `there is no lookup "${name}"`, location: at, hint }];
}

function lastName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
