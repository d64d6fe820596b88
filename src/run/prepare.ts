import { UserError, type SourceLocation } from '../lib/errors.ts';
import { isDict, isList, type Dict, type Value } from '../lib/value.ts';
import { findModule } from '../modules/find-module.ts';
import { str } from '../template/python/text.ts';
import { argumentValues, parseArguments } from '../modules/kit/parse.ts';
import type { AnyModule } from '../modules/kit/module.ts';
import type { PlanContext } from '../steps/plan.ts';
import { type Layer, type Scope } from '../variables/scope.ts';
import type { Task, Templated, Texts } from '../playbook/ast.ts';
import { isTruthy, renderTemplate } from '../template/render.ts';
import { withModuleDefaults } from '../validate/module-defaults.ts';
import { becomePassword } from '../variables/address.ts';
import { OMIT } from '../variables/magic.ts';
import { controllerFiles } from './controller.ts';
import { scopeOf } from './scope.ts';
import type { Actor, Login } from './host/actor.ts';
import { ArgumentError, explainError, TaskError } from './task-error.ts';
import type { ModuleTurn } from './turn.ts';
import type { PlayRun } from './world.ts';

/** A task's module with its arguments, for one host and one item of its loop. */
export interface Prepared {
  readonly module: AnyModule;
  readonly args: never;
  readonly actor: Actor;
  readonly context: PlanContext;
}

/** Whether all conditions hold. */
export function holds(conditions: Texts, scope: Scope, what: string): boolean {
  return firstUnmet(conditions, scope, what) === undefined;
}

/** The first condition that does not hold. */
export function firstUnmet(conditions: Texts, scope: Scope, what: string): string | undefined {
  const unmet = conditions.find((condition) => {
    try {
      return !isTruthy(scope.evaluate(condition.text, condition.at));
    } catch (error) {
      throw explainError(error, condition.at, what);
    }
  });
  return unmet?.text;
}

/** A keyword's value, rendered. */
export function keyword(templated: Templated | undefined, scope: Scope, name: string): Value | undefined {
  if (!templated) return undefined;
  try {
    return scope.render(templated.value, templated.at);
  } catch (error) {
    throw explainError(error, templated.at, name);
  }
}

export function keywordFlag(
  templated: Templated | undefined,
  scope: Scope,
  name: string,
): boolean | undefined {
  const value = keyword(templated, scope, name);
  return value === undefined ? undefined : asFlag(value);
}

export function asFlag(value: Value): boolean {
  if (typeof value === 'string') return ['yes', 'true', 'on', '1', 'y', 't'].includes(value.toLowerCase());
  return isTruthy(value);
}

/** The task's arguments, rendered, with `omit` left out. Free text is `_raw_params`, as in Ansible. */
export function renderArguments(task: Task, scope: Scope): Dict {
  try {
    const args = new Map<Value, Value>();
    const render = (value: Value, at: SourceLocation): Value => scope.render(value, at);
    for (const { text, at } of task.argsTemplates ?? []) {
      const given = render(text, at);
      if (isDict(given)) for (const [name, value] of given) args.set(name, value);
      else if (given !== OMIT)
        throw new UserError({ message: 'expected a template that gives a dictionary', location: at });
    }
    const named = render(task.args.value, task.args.at);
    if (isDict(named)) for (const [name, value] of named) args.set(name, value);
    if (task.freeForm) args.set('_raw_params', render(task.freeForm.text, task.freeForm.at));
    const defaults = task.moduleDefaults.map(({ value, at }) => render(value, at));
    return withoutOmitted(withModuleDefaults(task, defaults, args)) as Dict;
  } catch (error) {
    throw explainError(error, task.args.at, 'arguments');
  }
}

function withoutOmitted(value: Value): Value {
  if (isDict(value)) {
    return new Map(
      [...value].filter(([, item]) => item !== OMIT).map(([key, item]) => [key, withoutOmitted(item)]),
    );
  }
  if (isList(value)) return value.filter((item) => item !== OMIT).map(withoutOmitted);
  return value;
}

/** Who the task acts as, from its keywords and the connection variables of the host it acts on. */
function actorOf({ run, task, scope, target, host }: ModuleTurn): Actor {
  // A delegated task connects as the other host's variables say.
  const connection = target === host ? scope : scopeOf(run, target);
  const flag = connection.get('ansible_become');
  const becomes =
    flag !== undefined && flag !== null ? asFlag(flag) : (keywordFlag(task.become, scope, 'become') ?? false);
  const method =
    connection.get('ansible_become_method') ?? keyword(task.becomeMethod, scope, 'become_method') ?? 'sudo';
  if (becomes && method !== 'sudo' && method !== 'ansible.builtin.sudo') {
    throw new TaskError(`become_method "${String(method)}" is not supported; expected sudo`);
  }
  const user =
    connection.get('ansible_become_user') ?? keyword(task.becomeUser, scope, 'become_user') ?? 'root';
  const password = becomePassword(connection);
  if (password) run.world.secrets.add(password.reveal());
  const seconds = keyword(task.timeout, scope, 'timeout');
  return {
    login: loginOf(task, scope, connection),
    become: becomes ? { user: String(user), ...(password && { password }) } : undefined,
    environment: taskEnvironment(task, scope),
    timeoutMs:
      seconds === undefined || seconds === null || Number(seconds) === 0 ? undefined : Number(seconds) * 1000,
  };
}

/** The keywords `remote_user` and `connection`; variables of the host have precedence over them. */
function loginOf(task: Task, scope: Scope, variables: Scope): Login {
  const text = (value: Value | undefined): string | undefined =>
    value === undefined || value === null || value === '' ? undefined : String(value);
  const connection = text(
    variables.get('ansible_connection') ?? keyword(task.connection, scope, 'connection'),
  );
  return {
    connection,
    user: text(
      variables.get('ansible_user') ??
        variables.get('ansible_ssh_user') ??
        keyword(task.remoteUser, scope, 'remote_user'),
    ),
    // This machine has no address; whatever stands there need not even be known.
    ...(connection === 'local'
      ? {}
      : {
          address: text(variables.get('ansible_host') ?? variables.get('ansible_ssh_host')),
          port: text(variables.get('ansible_port') ?? variables.get('ansible_ssh_port')),
        }),
  };
}

function taskEnvironment(task: Task, scope: Scope): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const templated of task.environment) {
    const rendered = keyword(templated, scope, 'environment');
    const parts = isList(rendered ?? null) ? (rendered as readonly Value[]) : [rendered ?? null];
    for (const part of parts) {
      if (!isDict(part)) continue;
      for (const [name, value] of part) if (value !== OMIT) environment[String(name)] = str(value);
    }
  }
  return environment;
}

/** What `--check` and `check_mode:` come to for a task. */
function inCheckMode(run: PlayRun, task: Task, scope: Scope): boolean {
  return keywordFlag(task.checkMode, scope, 'check_mode') ?? run.world.settings.checkMode;
}

/** Renders and checks a module task; what is wrong with it is a TaskError. */
export function prepare(turn: ModuleTurn): Prepared {
  const { run, task, scope, host } = turn;
  const module = findModule(task.action.text);
  if (!module) throw new ArgumentError(unknownModule(task));
  const args = renderArguments(task, scope);
  const parsed = parseArguments(module, argumentValues(args));
  if ('problems' in parsed) {
    const { file, line, column } = task.args.at;
    throw new ArgumentError(
      parsed.problems
        .map((problem) => `${file}:${line}:${column}: ${task.action.text}: ${problem}`)
        .join('\n'),
    );
  }
  const actor = actorOf(turn);
  const checkMode = inCheckMode(run, task, scope);
  return {
    module,
    args: parsed.args,
    actor,
    context: {
      checkMode,
      diffMode: (keywordFlag(task.diff, scope, 'diff') ?? run.world.settings.diffMode) && !noLog(task, scope),
      host: host.name,
      user: actor.become?.user ?? actor.login?.user ?? '',
      environment: actor.environment,
      controller: controllerFiles(run.world.playbook.directory, task.role),
      renderTemplate(source, file, options, extra) {
        const layers: Layer[] = extra ? [{ values: new Map(Object.entries(extra)), written: false }] : [];
        const inner = scope.with(layers);
        return renderTemplate(source, inner, inner.environment, {
          ...options,
          origin: { file, line: 1, column: 1 },
        });
      },
    },
  };
}

function unknownModule(task: Task): string {
  const { file, line, column } = task.action.at;
  return `${file}:${line}:${column}: there is no module "${task.action.text}" (docs/modules.md lists those there are)`;
}

export function noLog(task: Task, scope: Scope): boolean {
  return keywordFlag(task.noLog, scope, 'no_log') ?? false;
}
