import type { Inherited, Texts, VarsBlock } from './ast.ts';
import type { Fields } from './fields.ts';

/** Keywords that tasks take over from what they stand in. */
export interface Inheritance extends Inherited {
  readonly notify?: Texts;
}

export const NOTHING_INHERITED: Inheritance = { when: [], tags: [], environment: [], vars: [] };

/** Reads the keywords of one level that its tasks take over. */
export function readInheritance(fields: Fields, staticVars: readonly VarsBlock[]): Inheritance {
  const own = {
    become: fields.templated('become', 'flag'),
    becomeUser: fields.templated('become_user', 'text'),
    becomeMethod: fields.templated('become_method', 'text'),
    remoteUser: fields.templated('remote_user', 'text'),
    connection: fields.templated('connection', 'text'),
    checkMode: fields.templated('check_mode', 'flag'),
    diff: fields.templated('diff', 'flag'),
    noLog: fields.templated('no_log', 'flag'),
    ignoreErrors: fields.templated('ignore_errors', 'flag'),
    ignoreUnreachable: fields.templated('ignore_unreachable', 'flag'),
    anyErrorsFatal: fields.templated('any_errors_fatal', 'flag'),
    runOnce: fields.templated('run_once', 'flag'),
    throttle: fields.templated('throttle', 'whole'),
    timeout: fields.templated('timeout', 'whole'),
    delegateTo: fields.templated('delegate_to', 'text'),
    delegateFacts: fields.templated('delegate_facts', 'flag'),
    notify: fields.get('notify') === undefined ? undefined : fields.texts('notify'),
  };
  const vars = fields.vars();
  return {
    ...withoutUndefined(own),
    when: fields.conditions('when'),
    tags: fields.tags(vars ? [...staticVars, vars] : staticVars),
    environment: fields.environment(),
    vars: vars ? [vars] : [],
  };
}

/** The nearer value wins, except for what accumulates. */
export function inherit(outer: Inheritance, own: Inheritance): Inheritance {
  return {
    ...outer,
    ...own,
    when: [...outer.when, ...own.when],
    tags: [...new Set([...outer.tags, ...own.tags])],
    environment: [...outer.environment, ...own.environment],
    vars: [...outer.vars, ...own.vars],
  };
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** An object without the keys that have no value, as exact optional properties want it. */
export function withoutUndefined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}
