import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { isList, type Value } from '../lib/value.ts';
import type { Inherited, Play, TaskNode, Templated, VarsBlock } from './ast.ts';
import { describe, type Fields, isTemplate } from './fields.ts';
import { inherit, NOTHING_INHERITED, readInheritance, readOwn, withoutUndefined } from './inheritance.ts';
import { KEYWORDS } from './keywords.ts';
import { type AppliedRole, applyRole } from './apply-role.ts';
import { importer } from './imports.ts';
import type { LoadContext } from './load-context.ts';
import type { Place, PlayParts } from './place.ts';
import { readPrompts } from './prompts.ts';
import { readRoleEntry } from './role-entry.ts';
import { readTaskList } from './task-list.ts';
import { loadVarsFile } from './vars-file.ts';

/** What import_playbook gives to the plays of its file. */
export interface ImportedWith {
  readonly vars: readonly VarsBlock[];
  readonly inherited: Pick<Inherited, 'when' | 'tags'>;
}

/** Reads one play with everything that it imports. */
export function readPlay(
  context: LoadContext,
  fields: Fields,
  directory: string,
  imported: ImportedWith,
): Play {
  fields.checkKeywords('play');
  const hosts = readHosts(fields);
  const playVars = fields.vars() ?? { values: new Map(), at: fields.start };
  const varsFiles = readVarsFiles(context, fields, directory);
  const vars = mergeVars(playVars, imported.vars);
  const parts: PlayParts = {
    directory,
    collections: fields.texts('collections').map((one) => one.text),
    vars: [vars, ...fixedVarsFiles(context, varsFiles, directory)],
    roles: [],
    handlers: [],
    applications: [],
    importer,
  };
  const { user, ...own } = readOwn(fields, 'play');
  const read: Inherited = { ...readInheritance(fields, parts.vars), vars: [] };
  const inherited = inherit(
    { ...NOTHING_INHERITED, ...imported.inherited },
    user ? { ...read, ...remoteUser(fields, user) } : read,
  );
  const place: Place = {
    document: fields.document,
    play: parts,
    inherited,
    role: undefined,
    section: 'tasks',
    chain: [fields.document.file],
  };
  const tasks = (key: string): readonly TaskNode[] =>
    readTaskList(context, place, fields.list(key, 'tasks') ?? []);

  // The roles come first, since names in imports may use their variables.
  const roles = readRoles(context, fields, place);
  const preTasks = tasks('pre_tasks');
  const mainTasks = tasks('tasks');
  const postTasks = tasks('post_tasks');
  const handlers = readTaskList(
    context,
    { ...place, section: 'handlers' },
    fields.list('handlers', 'handlers') ?? [],
  );
  return {
    ...own,
    ...withoutUndefined({
      serial: serial(fields),
      order: readOrder(fields, own.order),
      strategy: readStrategy(context, fields, own.strategy),
    }),
    hosts,
    at: fields.start,
    vars,
    prompts: readPrompts(fields),
    varsFiles,
    preTasks,
    roleTasks: roles.flatMap((role) => role.tasks),
    tasks: mainTasks,
    postTasks,
    // Of two handlers with one name the later counts, so that a play can replace a role's.
    handlers: [...roles.flatMap((role) => role.handlers), ...handlers, ...parts.handlers],
    roles: parts.roles,
    inherited,
    directory,
  };
}

function readHosts(fields: Fields): Templated {
  const value = fields.get('hosts');
  const at = value === undefined ? fields.start : fields.at('hosts');
  const isEmpty = value === undefined || value === '' || (isList(value) && value.length === 0);
  if (isEmpty) {
    const message = fields.dict.has('hosts') ? 'a play\'s "hosts" cannot be empty' : 'a play needs "hosts"';
    fields.context.problems.push(
      fields.document.problem(at, message, 'name hosts or groups of the inventory, or "all"'),
    );
  } else if (
    typeof value !== 'string' &&
    !(isList(value) && value.every((item) => typeof item === 'string'))
  ) {
    fields.report('hosts', `"hosts": expected a pattern or a list of patterns, found ${describe(value)}`);
  }
  return { value: value ?? '', at };
}

/** `user` is an older word for `remote_user`. */
function remoteUser(fields: Fields, user: Templated): Pick<Inherited, 'remoteUser'> {
  if (fields.get('remote_user') === undefined) return { remoteUser: user };
  fields.report('user', '"user" and "remote_user" mean the same; keep one of them');
  return {};
}

function serial(fields: Fields): Templated | undefined {
  const value = fields.get('serial');
  if (value === undefined) return undefined;
  const isSize = (item: Value): boolean =>
    typeof item === 'number' ||
    (typeof item === 'string' && (isTemplate(item) || /^\d+(\.\d+)?%?$/.test(item)));
  if (isList(value) ? value.length > 0 && value.every(isSize) : isSize(value))
    return { value, at: fields.at('serial') };
  return fields.report(
    'serial',
    `"serial": expected a number, a percentage or a list of them, found ${describe(value)}`,
  );
}

function readOrder(fields: Fields, order: Templated | undefined): Templated | undefined {
  const orders: readonly string[] = KEYWORDS.order.values;
  if (!order || orders.includes(String(order.value)) || isTemplate(String(order.value))) return order;
  return fields.report('order', `"order": expected ${orders.join(', ')}, found ${describe(order.value)}`);
}

function readStrategy(
  context: LoadContext,
  fields: Fields,
  strategy: Templated | undefined,
): Templated | undefined {
  if (!strategy) return undefined;
  const name = String(strategy.value).replace(/^ansible\.builtin\./, '');
  switch (name) {
    case 'linear':
      return strategy;
    case 'free':
    case 'host_pinned':
      context.warnings.push(
        fields.document.problem(
          strategy.at,
          `the strategy "${name}" is not supported: the play runs in linear order`,
        ),
      );
      return strategy;
    default:
      return fields.report('strategy', `there is no strategy "${name}"`, 'leave it out: the order is linear');
  }
}

function readVarsFiles(context: LoadContext, fields: Fields, directory: string): readonly Templated[] {
  const value = fields.get('vars_files');
  if (value === undefined) return [];
  const entries = isList(value) ? value : [value];
  return entries.flatMap((entry, index): Templated[] => {
    const at = isList(value) ? fields.document.valueAt(value, index) : fields.at('vars_files');
    const names = isList(entry) ? entry : [entry];
    if (!names.every((name) => typeof name === 'string')) {
      context.problems.push(
        fields.document.problem(at, `"vars_files": expected the name of a file, found ${describe(entry)}`),
      );
      return [];
    }
    const isKnown =
      names.some((name) => isTemplate(name)) || names.some((name) => findVarsFile(name, directory));
    if (!isKnown) {
      context.problems.push(
        fields.document.problem(at, `"vars_files": there is no file ${names.join(' or ')}`),
      );
      return [];
    }
    return [{ value: entry, at }];
  });
}

function findVarsFile(name: string, directory: string): string | undefined {
  return [resolve(directory, name), resolve(directory, 'vars', name)].find((path) => existsSync(path));
}

/** Those whose names hold no template; the names of imports may use what is in them. */
function fixedVarsFiles(
  context: LoadContext,
  entries: readonly Templated[],
  directory: string,
): readonly VarsBlock[] {
  return entries.flatMap(({ value, at }): VarsBlock[] => {
    const names = (isList(value) ? value : [value]).map(String);
    if (names.some(isTemplate)) return [];
    const file = names.map((name) => findVarsFile(name, directory)).find((path) => path !== undefined);
    const block = file === undefined ? undefined : context.attempt(() => loadVarsFile(file), at);
    return block ? [block] : [];
  });
}

/** Variables of import_playbook override those of the play. */
function mergeVars(own: VarsBlock, stronger: readonly VarsBlock[]): VarsBlock {
  if (stronger.length === 0) return own;
  return { values: new Map([own, ...stronger].flatMap((block) => [...block.values])), at: own.at };
}

function readRoles(context: LoadContext, fields: Fields, place: Place): readonly AppliedRole[] {
  const entries = fields.list('roles', 'roles') ?? [];
  return entries.flatMap((item, index): AppliedRole[] => {
    const at = fields.document.valueAt(entries, index);
    const entry = readRoleEntry(context, fields.document, item, at, place.play.vars);
    if (!entry) return [];
    const { vars, ...own } = entry.own;
    const applied = applyRole(context, place.play, {
      name: entry.name,
      from: {},
      inherited: inherit(place.inherited, { ...own, vars: [] }),
      entryVars: vars,
      params: entry.params,
      parent: undefined,
      once: entry.own,
      chain: place.chain,
      report: entry.report,
    });
    return applied ? [applied] : [];
  });
}
