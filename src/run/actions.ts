import { existsSync, readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';

import { isList, toPlain, type Dict, type Value } from '../lib/value.ts';
import { loadVarsFile } from '../playbook/vars-file.ts';
import type { Task } from '../playbook/ast.ts';
import { shortName } from '../plan/validate.ts';
import type { Scope } from '../plan/variables.ts';
import { evaluate, isTruthy } from '../template/render.ts';
import { searchPath } from './controller.ts';
import { renderArguments } from './prepare.ts';
import { failedResult, okResult, resultValues, skippedResult, type ItemResult } from './result.ts';
import { environmentOf } from './scope.ts';
import { newHost } from './targets.ts';
import { TaskError } from './task-error.ts';
import type { HostRun, PlayRun } from './world.ts';

/** What an action of the engine's may use. */
export interface ActionContext {
  readonly run: PlayRun;
  readonly task: Task;
  readonly host: HostRun;
  readonly scope: Scope;
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
    if (variable === undefined) return okResult({ msg: toPlain(args.get('msg') ?? 'Hello world!') }, false);
    if (typeof variable !== 'string') return okResult({ [String(variable)]: toPlain(variable) }, false);
    const value = evaluate(
      variable,
      scope,
      environmentOf(run.world, task.role, () => scope),
      task.at,
    );
    return {
      ...okResult({}, false),
      values: new Map([
        [variable, value],
        ['changed', false],
      ]),
      message: `${variable} = ${JSON.stringify(toPlain(value))}`,
    };
  },

  fail: ({ args }) => failedResult(String(args.get('msg') ?? 'Failed as requested from task')),

  assert({ args, run, task, scope }) {
    const conditions = args.get('that');
    if (conditions === undefined) throw new TaskError('assert: "that" is required');
    for (const condition of isList(conditions) ? conditions : [conditions]) {
      const holds =
        typeof condition === 'string'
          ? isTruthy(
              evaluate(
                condition,
                scope,
                environmentOf(run.world, task.role, () => scope),
                task.at,
              ),
            )
          : isTruthy(condition);
      if (!holds) {
        const message = args.get('fail_msg') ?? args.get('msg') ?? 'Assertion failed';
        return failedResult(String(message), { assertion: toPlain(condition), evaluated_to: false });
      }
    }
    const message = args.get('success_msg') ?? 'All assertions passed';
    return {
      ...okResult({}, false),
      values: resultValues({}, { changed: false, failed: false, msg: toPlain(message) }),
    };
  },

  set_fact({ args, host, run }) {
    const facts = new Map<Value, Value>();
    for (const [name, value] of args) if (name !== 'cacheable') facts.set(name, value);
    if (facts.size === 0) throw new TaskError('set_fact: expected at least one variable');
    for (const [name, value] of facts) {
      if (!/^[A-Za-z_]\w*$/.test(String(name)))
        throw new TaskError(`set_fact: "${String(name)}" is not a valid variable name`);
      host.values.set(name, value);
    }
    run.world.knowledge++;
    return {
      status: 'ok',
      values: new Map<Value, Value>([
        ['changed', false],
        ['ansible_facts', facts],
      ]),
    };
  },

  set_stats: () => okResult({}, false),

  include_vars({ args, host, run, task }) {
    const files = varsFiles(args, run, task);
    const blocks = files.map((file) => loadVarsFile(file));
    const name = args.get('name');
    for (const block of blocks) {
      host.includedVars = [
        ...host.includedVars,
        name === undefined ? block : { at: block.at, values: new Map<Value, Value>([[name, block.values]]) },
      ];
    }
    run.world.knowledge++;
    return okResult({ ansible_included_var_files: files }, false);
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
    const names =
      typeof groups === 'string'
        ? groups.split(',').map((group) => group.trim())
        : isList(groups)
          ? groups.map(String)
          : [];
    for (const group of ['all', ...names]) addToGroup(world.groups, group, name);
    const isNew = !world.hosts.has(name);
    const old = world.hosts.get(name);
    world.hosts.set(name, newHost(world, name, [...(old?.addedVars ?? []), variables]));
    world.knowledge++;
    return okResult({ add_host: { host_name: name, groups: names } }, isNew);
  },

  group_by({ args, host, run }) {
    const key = args.get('key');
    if (key === undefined) throw new TaskError('group_by: "key" is required');
    const added = addToGroup(run.world.groups, String(key).replaceAll(' ', '-'), host.name);
    run.world.knowledge++;
    return okResult({}, added);
  },
};

function addToGroup(groups: Map<string, string[]>, group: string, host: string): boolean {
  const members = groups.get(group) ?? [];
  if (members.includes(host)) return false;
  groups.set(group, [...members, host]);
  return true;
}

function varsFiles(args: Dict, run: PlayRun, task: Task): readonly string[] {
  const file = args.get('file') ?? args.get('_raw_params');
  const directory = args.get('dir');
  if (file !== undefined) return [findVars(String(file), run, task)];
  if (directory === undefined) throw new TaskError('include_vars: expected "file" or "dir"');
  const root = findVars(String(directory), run, task);
  const extensions = args.get('extensions');
  const wanted = isList(extensions ?? null)
    ? (extensions as readonly Value[]).map(String)
    : ['yml', 'yaml', 'json'];
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => join(root, name))
    .filter((path) => statSync(path).isFile() && wanted.includes(extname(path).slice(1)));
}

function findVars(path: string, run: PlayRun, task: Task): string {
  const candidates = searchPath(path, 'vars', run.world.playbook.directory, task.role);
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined)
    throw new TaskError(`include_vars: there is no ${path}; looked for ${candidates.join(', ')}`);
  return found;
}

/** Runs an action of the engine's; undefined when the task names a module. */
export function engineAction(run: PlayRun, task: Task, host: HostRun, scope: Scope): ItemResult | undefined {
  const name = shortName(task.action.text);
  const action = actions[name];
  if (!action) return undefined;
  const isFileName = name === 'include_vars' && task.freeForm && !/^\w+=/.test(task.freeForm.text);
  const args = renderArguments(run, task, scope, isFileName ? FREE_FORM : undefined);
  return action({ run, task, host, scope, args });
}

/** `include_vars: name.yml` is the one action of these whose text is not `key=value` pairs. */
const FREE_FORM = { freeForm: '_raw_params' } as const;
