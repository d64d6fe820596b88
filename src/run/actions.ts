import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';

import { isDict, isList, toPlain, type Dict, type Value } from '../lib/value.ts';
import { loadVarsFile } from '../playbook/vars-file.ts';
import type { Task } from '../playbook/ast.ts';
import { shortName } from '../validate/validate.ts';
import type { Scope } from '../variables/scope.ts';
import { OMIT } from '../variables/magic.ts';
import { settle } from '../variables/written.ts';
import { isUndefinedError } from '../template/error.ts';
import { isTruthy } from '../template/render.ts';
import { argumentErrors } from './argument-spec.ts';
import { learned } from './changed.ts';
import { searchPath } from '../variables/search-path.ts';
import { asFlag, renderArguments } from './prepare.ts';
import { failedResult, okResult, resultValues, skippedResult, type ItemResult } from './result.ts';
import { newHost } from './targets.ts';
import { explainError, TaskError } from './task-error.ts';
import type { Turn } from './turn.ts';
import type { PlayRun } from './world.ts';

/** What an action of the engine's may use. */
export interface ActionContext extends Turn {
  readonly args: Dict;
}

type Action = (context: ActionContext) => ItemResult;

/** Actions that happen on the controller alone and cost nothing: they talk to the engine, not to a host. */
const actions: Readonly<Record<string, Action>> = {
  debug({ args, run, task, scope }) {
    const verbosity = args.get('verbosity');
    if (verbosity !== undefined && run.world.settings.verbosity < Number(verbosity))
      return skippedResult('Verbosity threshold not met.');
    const variable = args.get('var');
    if (variable === undefined) {
      const msg = args.has('msg') ? (args.get('msg') ?? null) : 'Hello world!';
      return { ...okResult({ msg: toPlain(msg) }, false), message: shownText(msg) };
    }
    const name = typeof variable === 'string' ? variable : shownText(variable);
    const value = typeof variable === 'string' ? variableValue(variable, scope, task) : variable;
    return {
      ...okResult({}, false),
      values: new Map([
        [name, value],
        ['changed', false],
        ['failed', false],
      ]),
      message: `${name} = ${JSON.stringify(toPlain(value))}`,
    };
  },

  fail({ args }) {
    const msg = args.get('msg') ?? 'Failed as requested from task';
    return {
      ...failedResult(shownText(msg)),
      values: resultValues({}, { changed: false, failed: true, msg: toPlain(msg) }),
    };
  },

  assert({ args, task, scope }) {
    const conditions = args.get('that');
    if (conditions === undefined) throw new TaskError('assert: "that" is required');
    for (const condition of isList(conditions) ? conditions : [conditions]) {
      const holds =
        typeof condition === 'string' ? isTruthy(scope.evaluate(condition, task.at)) : isTruthy(condition);
      if (!holds) {
        const message = args.get('fail_msg') ?? args.get('msg') ?? 'Assertion failed';
        return failedResult(shownText(message), { assertion: toPlain(condition), evaluated_to: false });
      }
    }
    const message = args.get('success_msg') ?? 'All assertions passed';
    return {
      ...okResult({}, false),
      message: shownText(message),
      values: resultValues({}, { changed: false, failed: false, msg: toPlain(message) }),
    };
  },

  set_fact({ args }) {
    const facts = new Map<Value, Value>();
    for (const [name, value] of args) if (name !== 'cacheable') facts.set(name, value);
    const isCacheable = asFlag(args.get('cacheable') ?? false);
    if (facts.size === 0) throw new TaskError('set_fact: expected at least one variable');
    for (const name of facts.keys()) {
      if (!/^[A-Za-z_]\w*$/.test(String(name)))
        throw new TaskError(`set_fact: "${String(name)}" is not a valid variable name`);
    }
    // Who gets them (delegate_facts) is for the task's keywords to say.
    return {
      status: 'ok',
      values: new Map<Value, Value>([
        ['changed', false],
        ['failed', false],
        ['ansible_facts', facts],
        ['_ansible_facts_cacheable', isCacheable],
      ]),
      assigned: facts,
      ...(isCacheable ? { facts } : {}),
    };
  },

  validate_argument_spec({ args, scope }) {
    const spec = args.get('argument_spec');
    const provided = args.get('provided_arguments') ?? new Map();
    if (!isDict(spec)) throw new TaskError('validate_argument_spec: "argument_spec" must be a dictionary');
    if (!isDict(provided))
      throw new TaskError('validate_argument_spec: "provided_arguments" must be a dictionary');
    const given = new Map<Value, Value>();
    for (const name of spec.keys()) {
      const value = scope.get(String(name));
      if (value !== undefined && value !== OMIT) given.set(name, settle(value));
    }
    const errors = argumentErrors(spec, new Map([...given, ...provided]));
    const context = args.get('validate_args_context') ?? new Map();
    if (errors.length === 0) {
      const passed = { msg: 'The arg spec validation passed', validate_args_context: context };
      return okResult(passed, false);
    }
    return failedResult(`Validation of arguments failed:\n${errors.join('\n')}`, {
      argument_errors: errors,
      argument_spec_data: spec,
      validate_args_context: context,
    });
  },

  set_stats: () => okResult({}, false),

  include_vars({ args, run, task }) {
    const files = varsFiles(args, run, task);
    const blocks = files.map((file) => loadVarsFile(file));
    const name = args.get('name');
    const included = blocks.map((block) =>
      name === undefined ? block : { at: block.at, values: new Map<Value, Value>([[name, block.values]]) },
    );
    const merged = new Map<Value, Value>(blocks.flatMap((block) => [...block.values]));
    const found = name === undefined ? merged : new Map<Value, Value>([[name, merged]]);
    const result = okResult({ ansible_included_var_files: files }, false);
    const values = new Map<Value, Value>([...result.values, ['ansible_facts', found]]);
    return { ...result, values, included };
  },

  add_host({ args, run }) {
    const name = String(args.get('name') ?? args.get('hostname') ?? args.get('host') ?? '');
    if (name === '') throw new TaskError('add_host: "name" is required');
    const { world } = run;
    const groups = args.get('groups') ?? args.get('group') ?? args.get('groupname') ?? [];
    const variables = new Map(
      [...args].filter(
        ([key]) => !['name', 'hostname', 'host', 'groups', 'group', 'groupname'].includes(String(key)),
      ),
    );
    const names = namesIn(groups);
    for (const group of ['all', ...names]) addToGroup(world.groups, group, name);
    const isNew = !world.hosts.has(name);
    const old = world.hosts.get(name);
    world.hosts.set(name, newHost(world, name, [...(old?.addedVars ?? []), variables]));
    learned(world);
    return okResult({ add_host: { host_name: name, groups: names } }, isNew);
  },

  group_by({ args, host, run }) {
    const key = args.get('key');
    if (key === undefined) throw new TaskError('group_by: "key" is required');
    const added = addToGroup(run.world.groups, String(key).replaceAll(' ', '-'), host.name);
    for (const parent of namesIn(args.get('parents') ?? 'all'))
      addToGroup(run.world.groups, parent.replaceAll(' ', '-'), host.name);
    learned(run.world);
    return okResult({}, added);
  },
};

/** What `debug: var` shows; that a variable is missing is worth saying, and no failure. */
function variableValue(expression: string, scope: Scope, task: Task): Value {
  try {
    return settle(scope.evaluate(expression, task.at));
  } catch (error) {
    if (isUndefinedError(error) && error.variable !== undefined && expression.startsWith(error.variable))
      return 'VARIABLE IS NOT DEFINED!';
    throw explainError(error, task.at, 'debug');
  }
}

function shownText(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(toPlain(value));
}

function namesIn(value: Value): readonly string[] {
  if (isList(value)) return value.map(String);
  return String(value)
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function addToGroup(groups: Map<string, string[]>, group: string, host: string): boolean {
  const members = groups.get(group) ?? [];
  if (members.includes(host)) return false;
  groups.set(group, [...members, host]);
  return true;
}

function varsFiles(args: Dict, run: PlayRun, task: Task): readonly string[] {
  const directory = args.get('dir');
  const file = args.get('file') ?? (directory === undefined ? args.get('_raw_params') : undefined);
  if (file !== undefined) return [findVars(String(file).trimEnd(), run, task)];
  if (directory === undefined) throw new TaskError('include_vars: expected "file" or "dir"');
  const root = findVars(String(directory), run, task);
  const wanted =
    args.get('extensions') === undefined ? ['yml', 'yaml', 'json'] : namesIn(args.get('extensions') ?? []);
  const pattern = args.get('files_matching');
  const ignored = namesIn(args.get('ignore_files') ?? []).map((text) => new RegExp(text));
  const depth = Number(args.get('depth') ?? 0);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter((name) => depth === 0 || name.split('/').length <= depth)
    .filter((name) => statSync(join(root, name)).isFile())
    .filter((name) => pattern === undefined || new RegExp(String(pattern)).test(basename(name)))
    .filter((name) => !ignored.some((one) => one.test(basename(name))))
    .filter((name) => {
      if (wanted.includes(extname(name).slice(1))) return true;
      if (asFlag(args.get('ignore_unknown_extensions') ?? false)) return false;
      throw new TaskError(
        `include_vars: ${join(root, name)} has none of the extensions ${wanted.join(', ')}; "ignore_unknown_extensions" leaves such files out`,
      );
    })
    .map((name) => join(root, name));
}

function findVars(path: string, run: PlayRun, task: Task): string {
  const candidates = searchPath(path, 'vars', run.world.playbook.directory, task.role);
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined)
    throw new TaskError(`include_vars: there is no ${path}; looked for ${candidates.join(', ')}`);
  return found;
}

/** Runs an action of the engine's; undefined when the task names a module. */
export function engineAction(turn: Turn): ItemResult | undefined {
  const action = actions[shortName(turn.task.action.text)];
  return action?.({ ...turn, args: renderArguments(turn.task, turn.scope) });
}
