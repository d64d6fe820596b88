import { isDict, isList, type Value } from '../lib/value.ts';
import { shortActionName } from './action.ts';
import type { Block, TaskNode } from './ast.ts';
import { describe, Fields } from './fields.ts';
import { inherit, readInheritance, readOwn } from './inheritance.ts';
import type { LoadContext } from './load-context.ts';
import { type Place, staticVars } from './place.ts';
import { finishTask, readTaskHead } from './task.ts';

/** Reads a list of tasks and blocks; static imports are expanded. */
export function readTaskList(
  context: LoadContext,
  place: Place,
  list: readonly Value[],
): readonly TaskNode[] {
  return list.flatMap((item, index) => {
    if (isDict(item)) return readNode(context, place, new Fields(context, place.document, item));
    const hint = typeof item === 'string' ? 'a task is a dictionary: "- name: …"' : undefined;
    const at = place.document.valueAt(list, index);
    context.problems.push(place.document.problem(at, `expected a task, found ${describe(item)}`, hint));
    return [];
  });
}

function readNode(context: LoadContext, place: Place, fields: Fields): readonly TaskNode[] {
  const { dict } = fields;
  if (dict.has('block')) return readBlock(context, place, fields);
  for (const section of ['rescue', 'always']) {
    if (!dict.has(section)) continue;
    fields.report(section, `"${section}" needs a "block" beside it`);
    return [];
  }
  if (dict.has('hosts')) {
    fields.report(
      'hosts',
      'this looks like a play, but stands in a list of tasks',
      'import a playbook with import_playbook',
    );
    return [];
  }
  const head = readTaskHead(place, fields);
  if (!head) return [];
  const kind = shortActionName(head.action.name.text);
  if (kind === 'import_tasks') return place.play.importer.tasks(context, place, head);
  if (place.section === 'handlers' && (kind === 'import_role' || kind === 'include_role')) {
    fields.report(head.action.name.text, `a role cannot be a handler`, 'import its tasks with import_tasks');
    return [];
  }
  if (kind === 'import_role') return place.play.importer.role(context, place, head);
  return [finishTask(place, head)];
}

function readBlock(context: LoadContext, place: Place, fields: Fields): readonly TaskNode[] {
  if (place.section === 'handlers' && place.isInBlock) {
    fields.report(
      'block',
      'a block within a block cannot be a handler',
      'put its handlers beside those of the outer block',
    );
    return [];
  }
  const { dict } = fields;
  const stray = [...dict.keys()].filter((key) => typeof key === 'string' && key.startsWith('with_'));
  for (const key of [...stray, 'loop']) {
    if (dict.has(key)) {
      fields.report(
        key,
        'a block cannot loop',
        'put its tasks in a file of their own and loop over include_tasks',
      );
    }
  }
  fields.checkKeywords('block', (key) => stray.includes(key) || key === 'loop');
  const inside: Place = {
    ...place,
    isInBlock: true,
    inherited: inherit(place.inherited, readInheritance(fields, staticVars(place))),
  };
  const section = (key: string): readonly TaskNode[] => {
    const value = fields.get(key);
    if (value === undefined) return [];
    if (isList(value)) return readTaskList(context, inside, value);
    fields.report(key, `"${key}": expected a list of tasks, found ${describe(value)}`);
    return [];
  };
  if (place.section === 'handlers' && (dict.has('rescue') || dict.has('always'))) {
    const message = 'of a block of handlers only "block" is used: "rescue" and "always" never run';
    context.warnings.push(place.document.problem(fields.start, message));
  }
  const block: Block = {
    ...inside.inherited,
    ...readOwn(fields, 'block'),
    kind: 'block',
    block: section('block'),
    rescue: section('rescue'),
    always: section('always'),
    at: fields.start,
  };
  return [block];
}
