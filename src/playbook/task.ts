import { isDict } from '../lib/value.ts';
import { type Action, readAction, shortActionName } from './action.ts';
import type { Inclusion, Task } from './ast.ts';
import { describe, Fields } from './fields.ts';
import { inherit, NOTHING_INHERITED, readInheritance, readOwn, withoutUndefined } from './inheritance.ts';
import { isKeyword, isLoopKeyword } from './keyword-places.ts';
import type { Level } from './keyword.ts';
import { keywordOf } from './keywords.ts';
import { readLoop } from './loop.ts';
import { type Place, type ReadTask, staticVars } from './place.ts';
import { didYouMean } from '../lib/similar.ts';

const INCLUDE_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  include_tasks: ['file', 'apply'],
  import_tasks: ['file'],
  include_role: [
    'name',
    'role',
    'tasks_from',
    'vars_from',
    'defaults_from',
    'handlers_from',
    'apply',
    'public',
    'allow_duplicates',
    'rolespec_validate',
  ],
  import_role: [
    'name',
    'role',
    'tasks_from',
    'vars_from',
    'defaults_from',
    'handlers_from',
    'allow_duplicates',
    'rolespec_validate',
  ],
};

/** Reads what every kind of task has: the action, and the keywords that could be inherited. */
export function readTaskHead(place: Place, fields: Fields): ReadTask | undefined {
  const level: Level = place.section === 'handlers' ? 'handler' : 'task';
  const action = readAction(fields, level);
  const named = action === undefined ? undefined : normaliseInclude(fields, action);
  // Of words that are no keywords, readAction has taken one as the action and reported the others.
  fields.checkKeywords(level, (key) => !isKeyword(key, level));
  const read = readInheritance(fields, staticVars(place));
  if (named === undefined) return undefined;
  const own = named.isLocal ? { ...read, delegateTo: { value: 'localhost', at: named.name.at } } : read;
  return { fields, action: named, own };
}

/** A task that stays one, includes among them. */
export function finishTask(place: Place, head: ReadTask): Task {
  const { fields, action } = head;
  const kind = shortActionName(action.name.text);
  const isInclude = kind === 'include_tasks' || kind === 'include_role';
  const { notify = [], ...inherited } = inherit(place.inherited, head.own);
  const { listen = [], ...own } = readOwn(fields, place.section === 'handlers' ? 'handler' : 'task');
  const args = isInclude
    ? new Map([...action.args.value].filter(([key]) => key !== 'apply'))
    : action.args.value;
  return {
    ...inherited,
    ...own,
    ...withoutUndefined({
      freeForm: action.freeForm,
      argsTemplates: action.argsTemplates,
      loop: readLoop(fields),
      role: place.role,
      inclusion: isInclude ? inclusion(place, head) : undefined,
    }),
    kind: 'task',
    action: action.name,
    args: { value: args, at: action.args.at },
    notify,
    listen,
    at: fields.start,
  };
}

/** Of an include's own keywords its tasks get the variables only; the others are given with `apply`. */
function inclusion(place: Place, { fields, action, own }: ReadTask): Inclusion {
  for (const key of fields.dict.keys()) {
    if (typeof key !== 'string' || key === action.name.text) continue;
    if (isLoopKeyword(key) || keywordOf(key)?.onInclude) continue;
    fields.report(
      key,
      `"${key}" cannot stand on ${action.name.text}`,
      `put it below "apply" to give it to the included tasks, or use import_${action.name.text.endsWith('role') ? 'role' : 'tasks'}`,
    );
  }
  let inherited = inherit(place.inherited, { ...NOTHING_INHERITED, vars: own.vars });
  const apply = action.args.value.get('apply') ?? undefined;
  if (isDict(apply)) {
    const applied = new Fields(fields.context, fields.document, apply);
    applied.checkKeywords('apply');
    inherited = inherit(inherited, readInheritance(applied, staticVars(place)));
  } else if (apply !== undefined) {
    fields.report(action.name.text, `"apply": expected a dictionary of keywords, found ${describe(apply)}`);
  }
  return {
    ...inherited,
    directory: place.play.directory,
    collections: place.play.collections,
    playVars: place.play.vars,
  };
}

/** The arguments of includes and imports in one form, and checked: a file, or key=value pairs. */
function normaliseInclude(fields: Fields, action: Action): Action | undefined {
  const kind = shortActionName(action.name.text);
  if (kind === 'include') {
    return fields.report(
      action.name.text,
      '"include" is not supported',
      'use include_tasks, or import_tasks',
    );
  }
  if (kind === 'import_playbook') {
    return fields.report(
      action.name.text,
      '"import_playbook" stands among the plays, not among tasks',
      'import a file of tasks with import_tasks',
    );
  }
  const known = INCLUDE_ARGUMENTS[kind];
  if (!known) return action;
  const args = new Map(action.args.value);
  if (action.argsTemplates) {
    return fields.report(
      'args',
      `"${kind}" takes its arguments by name only, not as a template for all of them`,
    );
  }
  if (action.freeForm) args.set('file', action.freeForm.text.trim());
  for (const key of args.keys()) {
    if (known.includes(String(key))) continue;
    const hint =
      kind.startsWith('import_') && (key === 'apply' || key === 'public')
        ? 'keywords on an import are given to its tasks anyway'
        : (didYouMean(String(key), known) ?? `there are ${known.join(', ')}; variables stand below "vars"`);
    fields.report(action.name.text, `${kind} has no argument "${String(key)}"`, hint);
  }
  const target = known.includes('file') ? args.get('file') : (args.get('name') ?? args.get('role'));
  if (typeof target !== 'string' || target.trim() === '') {
    const what = known.includes('file') ? 'the name of a file' : 'the name of a role';
    return fields.report(action.name.text, `"${kind}": expected ${what}, found ${describe(target ?? null)}`);
  }
  for (const key of args.keys()) {
    if (!String(key).endsWith('_from') || typeof args.get(key) === 'string') continue;
    fields.report(
      action.name.text,
      `"${String(key)}": expected the name of a file, found ${describe(args.get(key) ?? null)}`,
    );
  }
  if (kind.startsWith('import_')) {
    for (const key of fields.dict.keys()) {
      const name = String(key);
      const isLoop = name === 'loop' || isLoopKeyword(name);
      if (!isLoop && !keywordOf(name)?.notOnImport) continue;
      fields.report(
        key,
        `"${name}" cannot stand on ${kind}, which is resolved when the playbook is loaded`,
        isLoop ? `use ${kind.replace('import', 'include')}` : 'put it on the tasks themselves',
      );
    }
  }
  const { freeForm: _, ...rest } = action;
  return { ...rest, args: { value: args, at: action.args.at } };
}
