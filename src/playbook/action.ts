import type { SourceLocation } from '../lib/errors.ts';
import { isDict, type Dict, type Value } from '../lib/value.ts';
import type { Templated, Text } from './ast.ts';
import { describe, isTemplate, type Fields } from './fields.ts';
import {
  explainUnknownKeyword,
  isKeyword,
  isKeywordElsewhere,
  resemblesKeyword,
  type Level,
} from './keywords.ts';

/** What a task does: the module's name and its arguments, still as written. */
export interface Action {
  readonly name: Text;
  readonly args: Templated & { readonly value: Dict };
  readonly freeForm?: Text;
  /** `local_action`: it runs on this machine. */
  readonly isLocal: boolean;
}

/** The name without the prefix of the built-in collection: `ansible.builtin.copy` is `copy`. */
export function shortActionName(name: string): string {
  return name.replace(/^ansible\.(?:builtin|legacy)\./, '');
}

/** The module that a task names: under its own name as a key, or with `action` or `local_action`. */
export function readAction(fields: Fields, level: Level): Action | undefined {
  const candidates = [...fields.dict.keys()].filter(
    (key): key is string => typeof key === 'string' && !isKeyword(key, level),
  );
  const explicit = ['action', 'local_action'].filter((key) => fields.dict.has(key));
  const actions = [...explicit, ...candidates];
  const [key, ...others] = actions;
  if (key === undefined) {
    fields.context.problems.push(
      fields.document.problem(
        fields.start,
        'this task has no action',
        'name a module and its arguments, such as "copy: {src: …, dest: …}"',
      ),
    );
    return undefined;
  }
  if (others.length > 0) {
    reportSeveral(fields, actions, level);
    return undefined;
  }
  return explicit.length > 0 ? explicitAction(fields, key) : keyedAction(fields, key);
}

function reportSeveral(fields: Fields, actions: readonly string[], level: Level): void {
  const mistyped = actions.filter((name) => resemblesKeyword(name, level) || isKeywordElsewhere(name));
  if (mistyped.length > 0 && mistyped.length < actions.length) {
    for (const name of mistyped) {
      const { message, hint } = explainUnknownKeyword(name, level);
      fields.report(name, message, hint);
    }
    return;
  }
  const names = actions.map((name) => `"${name}"`);
  fields.report(
    actions[1] as string,
    `a task has one action, but here are ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`,
    'start a new task with "- name: …", or check the indentation',
  );
}

function keyedAction(fields: Fields, key: string): Action | undefined {
  const value = fields.dict.get(key) ?? null;
  const name: Text = { text: key, at: fields.document.keyAt(fields.dict, key) };
  return withArguments(fields, name, value, fields.at(key), key, false);
}

function explicitAction(fields: Fields, key: string): Action | undefined {
  const value = fields.get(key);
  const isLocal = key === 'local_action';
  const at = fields.at(key);
  if (typeof value === 'string') {
    const [name, rest] = splitOnce(value);
    if (name !== '') {
      return withArguments(fields, { text: name, at }, rest, at, key, isLocal);
    }
  } else if (isDict(value) && typeof value.get('module') === 'string') {
    const [name, freeForm] = splitOnce(value.get('module') as string);
    const args = new Map<Value, Value>();
    for (const [argument, content] of value) {
      if (argument === 'args' && isDict(content)) for (const [inner, item] of content) args.set(inner, item);
      else if (argument !== 'module') args.set(argument, content);
    }
    const action = withArguments(fields, { text: name, at }, args, at, key, isLocal);
    return freeForm !== null ? { ...action, freeForm: { text: freeForm, at } } : action;
  }
  return fields.report(
    key,
    `"${key}": expected the name of a module with its arguments, found ${describe(value ?? null)}`,
    `write "${key}: copy src=… dest=…", or a dictionary with the key "module"`,
  );
}

function splitOnce(text: string): [string, string | null] {
  const match = /^\s*(\S+)\s*([^]*)$/.exec(text);
  const rest = match?.[2] ?? '';
  return [match?.[1] ?? '', rest === '' ? null : rest];
}

/** `args:` stands beside the module; what is given to the module itself has precedence over it. */
function withArguments(
  fields: Fields,
  name: Text,
  value: Value,
  at: SourceLocation,
  key: string,
  isLocal: boolean,
): Action {
  const args = new Map<Value, Value>();
  let place = at;
  const beside = fields.get('args');
  if (isDict(beside)) {
    for (const [argument, content] of beside) args.set(argument, content);
    place = fields.at('args');
  } else if (beside !== undefined) {
    fields.report(
      'args',
      `"args": expected a dictionary, found ${describe(beside)}`,
      typeof beside === 'string' && isTemplate(beside)
        ? 'a template for all arguments at once is not supported; name each argument'
        : undefined,
    );
  }
  if (value === null) return { name, args: { value: args, at: place }, isLocal };
  if (isDict(value)) {
    for (const [argument, content] of value) args.set(argument, content);
    return { name, args: { value: args, at }, isLocal };
  }
  if (typeof value === 'string') {
    const freeForm: Text = { text: value, at };
    if (value.trim() === '') return { name, args: { value: args, at: place }, isLocal };
    return { name, args: { value: args, at: place }, freeForm, isLocal };
  }
  fields.report(
    key,
    `"${name.text}": expected its arguments, found ${describe(value)}`,
    typeof value === 'object'
      ? 'arguments are a dictionary: each on its own line as "name: value"'
      : 'quote it',
  );
  return { name, args: { value: args, at: place }, isLocal };
}
