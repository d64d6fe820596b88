import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { didYouMean } from '../lib/similar.ts';
import { fromPlain, isDict, toPlain, type Dict, type Value } from '../lib/value.ts';
import type { Inherited, RoleContext, Task, TaskNode, VarsBlock } from './ast.ts';
import { describe, Fields } from './fields.ts';
import { findRole, type FoundRole, type Report } from './find-role.ts';
import { inherit, withoutUndefined } from './inheritance.ts';
import type { LoadContext } from './load-context.ts';
import { type PlayParts, staticVars } from './place.ts';
import { readTasksOf } from './read-tasks.ts';
import { readRoleEntry } from './role-entry.ts';
import { roleFile, type RoleFiles, roleVars } from './role-files.ts';

/** How a role is used at one place. */
export interface RoleUse {
  readonly name: string;
  readonly from: RoleFiles;
  /** What its tasks inherit, the keywords of the use among it. */
  readonly inherited: Inherited;
  /** `vars:` of the use. */
  readonly entryVars: readonly VarsBlock[];
  readonly params: readonly VarsBlock[];
  readonly parent: RoleContext | undefined;
  /** The parent does not include the role, but depends on it. */
  readonly isDependency?: true;
  /** For `roles:` and dependencies the keywords of the entry: a second use that says the same is left out. */
  readonly once: Pick<Inherited, 'when' | 'tags'> | undefined;
  /** `rolespec_validate: false`: its arguments are not checked. */
  readonly isUnchecked?: boolean;
  readonly chain: readonly string[];
  readonly report: Report;
}

/** A role's tasks, those of its dependencies first. */
export interface AppliedRole {
  readonly context: RoleContext;
  readonly tasks: readonly TaskNode[];
  readonly handlers: readonly TaskNode[];
}

const META = ['allow_duplicates', 'dependencies', 'galaxy_info', 'argument_specs', 'collections'];

/** Reads a role and its dependencies for one use; undefined when it cannot be, or need not be used again. */
export function applyRole(context: LoadContext, play: PlayParts, use: RoleUse): AppliedRole | undefined {
  const role = findRole(context, use.name, play, use.parent, use.report);
  if (!role) return undefined;
  const users = parentsOf(use.parent);
  if (use.once !== undefined && users.some((user) => user.directory === role.directory)) {
    const names = [...users.map((user) => user.name).reverse(), role.name];
    use.report(`the role "${role.name}" depends on itself: ${names.join(' → ')}`);
    return undefined;
  }
  const meta = readMeta(context, role, use.report);
  const onceKey = use.once && !meta.allowDuplicates ? keyOf(role, use, use.once) : undefined;
  if (onceKey !== undefined && isCovered(play, onceKey, use.inherited)) return undefined;

  const roleContext: RoleContext = {
    name: role.name,
    directory: role.directory,
    defaults: roleVars(context, role, 'defaults', use.from.defaultsFrom, use.report),
    vars: roleVars(context, role, 'vars', use.from.varsFrom, use.report),
    entryVars: use.entryVars,
    params: use.params,
    ...withoutUndefined({
      parent: use.parent,
      isDependency: use.isDependency,
      collection: role.collection,
      onceKey,
    }),
  };
  const dependencies = meta.dependencies(play, roleContext, use);
  play.roles.push(roleContext);
  const check = use.isUnchecked ? undefined : argumentCheck(context, role, meta.specs, roleContext, use);
  const place = { play, inherited: use.inherited, role: roleContext, chain: use.chain };
  const tasks = roleFile(role, 'tasks', use.from.tasksFrom, use.report);
  const handlers = roleFile(role, 'handlers', use.from.handlersFrom, use.report);
  return {
    context: roleContext,
    tasks: [
      ...dependencies.flatMap((dependency) => dependency.tasks),
      ...(check ? [check] : []),
      ...(tasks === undefined ? [] : readTasksOf(context, { ...place, section: 'tasks' }, tasks)),
    ],
    handlers: [
      ...dependencies.flatMap((dependency) => dependency.handlers),
      ...(handlers === undefined ? [] : readTasksOf(context, { ...place, section: 'handlers' }, handlers)),
    ],
  };
}

interface Meta {
  readonly allowDuplicates: boolean;
  /** Where the specs of the arguments are written, when that is meta/main.yml. */
  readonly specs: Specs | undefined;
  dependencies(play: PlayParts, parent: RoleContext, use: RoleUse): readonly AppliedRole[];
}

function readMeta(context: LoadContext, role: FoundRole, report: Report): Meta {
  const none: Meta = { allowDuplicates: false, specs: undefined, dependencies: () => [] };
  const file = roleFile(role, 'meta', undefined, report);
  const document = file === undefined ? undefined : context.read(file);
  if (!document || document.value === null) return none;
  if (!isDict(document.value)) {
    context.problems.push(
      document.problem(document.start, `expected a dictionary, found ${describe(document.value)}`),
    );
    return none;
  }
  const fields = new Fields(context, document, document.value);
  checkMeta(fields, document.value);
  const entries = fields.list('dependencies', 'roles') ?? [];
  return {
    allowDuplicates: fields.templated('allow_duplicates', 'flag')?.value === true,
    specs: document.value.has('argument_specs')
      ? { fields, value: document.value.get('argument_specs') ?? null }
      : undefined,
    dependencies: (play, parent, use) =>
      entries.flatMap((item, index): AppliedRole[] => {
        const at = document.valueAt(entries, index);
        const vars = staticVars({ play, role: parent, inherited: use.inherited });
        const entry = readRoleEntry(context, document, item, at, vars);
        if (!entry) return [];
        const { vars: entryVars, ...own } = entry.own;
        const applied = applyRole(context, play, {
          name: entry.name,
          from: {},
          inherited: inherit(use.inherited, { ...own, vars: [] }),
          entryVars,
          params: entry.params,
          parent,
          isDependency: true,
          once: entry.own,
          chain: use.chain,
          report: entry.report,
        });
        return applied ? [applied] : [];
      }),
  };
}

function checkMeta(fields: Fields, meta: Dict): void {
  for (const key of meta.keys()) {
    if (META.includes(String(key))) continue;
    fields.report(
      key,
      `"${String(key)}" is not part of a role's meta/main.yml`,
      didYouMean(String(key), META),
    );
  }
}

interface Specs {
  readonly fields: Fields;
  readonly value: Value;
}

/** The specs of a role's arguments: in a file of their own, or in meta/main.yml. */
function readSpecs(context: LoadContext, role: FoundRole): Specs | undefined {
  const file = ['.yml', '.yaml', '.json']
    .map((extension) => join(role.directory, 'meta', `argument_specs${extension}`))
    .find((path) => existsSync(path));
  const document = file === undefined ? undefined : context.read(file);
  if (!document || !isDict(document.value)) return undefined;
  const fields = new Fields(context, document, document.value);
  return { fields, value: document.value.get('argument_specs') ?? null };
}

/** The task that checks a role's arguments before its others run; undefined when nothing is said of them. */
function argumentCheck(
  context: LoadContext,
  role: FoundRole,
  inMeta: Specs | undefined,
  roleContext: RoleContext,
  use: RoleUse,
): Task | undefined {
  const specs = readSpecs(context, role) ?? inMeta;
  if (specs === undefined || specs.value === null) return undefined;
  const { fields, value } = specs;
  if (!isDict(value)) {
    fields.report('argument_specs', `"argument_specs": expected a dictionary, found ${describe(value)}`);
    return undefined;
  }
  const entry = use.from.tasksFrom ?? 'main';
  const spec = value.get(entry) ?? null;
  if (!isDict(spec) || spec.size === 0) return undefined;
  const options = spec.get('options') ?? new Map();
  if (!isDict(options)) {
    fields.report(
      'argument_specs',
      `"options" of "${entry}": expected a dictionary, found ${describe(options)}`,
    );
    return undefined;
  }
  const at = fields.at('argument_specs');
  const about = spec.get('short_description');
  const name = `Validating arguments against arg spec '${entry}'${about === undefined ? '' : ` - ${String(about)}`}`;
  const info = { type: 'role', name: role.name, argument_spec_name: entry, path: role.directory };
  return {
    ...use.inherited,
    kind: 'task',
    name: { text: name, at },
    action: { text: 'ansible.builtin.validate_argument_spec', at },
    args: {
      value: new Map<Value, Value>([
        ['argument_spec', options],
        ['validate_args_context', fromPlain(info)],
      ]),
      at,
    },
    tags: [...use.inherited.tags, 'always'],
    notify: [],
    listen: [],
    role: roleContext,
    at,
  };
}

function parentsOf(role: RoleContext | undefined): readonly RoleContext[] {
  const parents: RoleContext[] = [];
  for (let current = role; current; current = current.parent) parents.push(current);
  return parents;
}

/** Two uses that say the same have the same key. */
function keyOf(role: FoundRole, use: RoleUse, { when, tags }: Pick<Inherited, 'when' | 'tags'>): string {
  const values = (blocks: readonly VarsBlock[]): unknown => blocks.map((block) => toPlain(block.values));
  const conditions = when.map((text) => text.text);
  return JSON.stringify([role.directory, values(use.entryVars), values(use.params), conditions, tags]);
}

/** Whether an earlier use runs wherever this one would: under no further condition and for the same tags. */
function isCovered(play: PlayParts, key: string, { when, tags }: Inherited): boolean {
  const conditions = when.map((text) => text.text);
  const covered = play.applications.some(
    (earlier) =>
      earlier.key === key &&
      earlier.when.every((condition) => conditions.includes(condition)) &&
      [...earlier.tags].sort().join() === [...tags].sort().join(),
  );
  if (!covered) play.applications.push({ key, when: conditions, tags });
  return covered;
}
