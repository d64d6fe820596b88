import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import type { RoleContext, TaskNode, Text } from './ast.ts';
import { inherit } from './inheritance.ts';
import type { LoadContext } from './load-context.ts';
import { applyRole } from './apply-role.ts';
import { type Importer, type Place, type ReadTask, staticVars } from './place.ts';
import { readTasksOf } from './read-tasks.ts';
import { isOff, type RoleFiles } from './role-files.ts';

/** Expands import_tasks and import_role. */
export const importer: Importer = { tasks: importTasks, role: importRole };

/** The tasks of an imported file, with the keywords of the import. */
function importTasks(context: LoadContext, place: Place, head: ReadTask): readonly TaskNode[] {
  const { fields, action } = head;
  const inherited = inherit(place.inherited, head.own);
  const text: Text = { text: String(action.args.value.get('file')), at: action.args.at };
  const name = context.renderStatic(text, staticVars({ ...place, inherited }));
  if (name === undefined) return [];
  const candidates = importCandidates(name, place);
  const file = candidates.find((candidate) => existsSync(candidate));
  if (file === undefined) {
    fields.report(
      action.name.text,
      `there is no file ${name} to import`,
      `looked for ${candidates.join(', ')}`,
    );
    return [];
  }
  return readTasksOf(context, { ...place, inherited }, file, head);
}

/** Where an imported file may stand: beside the one that imports it, in the role, beside the playbook. */
function importCandidates(name: string, place: Place): readonly string[] {
  const candidates = [resolve(dirname(place.document.file), name)];
  for (let role: RoleContext | undefined = place.role; role; role = role.parent) {
    candidates.push(join(role.directory, place.section, name), join(role.directory, name));
  }
  candidates.push(join(place.play.directory, place.section, name), join(place.play.directory, name));
  return [...new Set(name.startsWith('/') ? [name] : candidates)];
}

/** The tasks of an imported role; its handlers and variables become the play's. */
function importRole(context: LoadContext, place: Place, head: ReadTask): readonly TaskNode[] {
  const { action, fields } = head;
  const inherited = inherit(place.inherited, head.own);
  const vars = staticVars({ ...place, inherited });
  const text = (key: string): string | undefined => {
    const value = action.args.value.get(key);
    return value === undefined || value === null
      ? undefined
      : context.renderStatic({ text: String(value), at: action.args.at }, vars);
  };
  const name = text('name') ?? text('role');
  if (name === undefined) return [];
  const from: RoleFiles = {
    tasksFrom: text('tasks_from'),
    varsFrom: text('vars_from'),
    defaultsFrom: text('defaults_from'),
    handlersFrom: text('handlers_from'),
  };
  const applied = applyRole(context, place.play, {
    name,
    from,
    inherited,
    entryVars: head.own.vars,
    params: [],
    parent: place.role,
    once: undefined,
    isUnchecked: isOff(action.args.value.get('rolespec_validate')),
    chain: place.chain,
    report: (message, hint) => fields.report(action.name.text, message, hint),
  });
  if (!applied) return [];
  place.play.handlers.push(...applied.handlers);
  return applied.tasks;
}
