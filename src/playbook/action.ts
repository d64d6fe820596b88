import { isDict, type Dict, type Value } from '../lib/value.ts';
import type { Arguments, Text } from './ast.ts';
import { describe, type Fields } from './fields.ts';
import { parseFreeForm, splitActionName, takesText } from './free-form.ts';
import {
  explainUnknownKeyword,
  isKeyword,
  isKeywordElsewhere,
  resemblesKeyword,
  type Position,
} from './keyword-places.ts';

/** What a task does: the module's name and its arguments, taken apart and not rendered yet. */
export interface Action extends Arguments {
  readonly name: Text;
  /** `local_action`: it runs on this machine. */
  readonly isLocal: boolean;
}

/** The name without the prefix of the built-in collection: `ansible.builtin.copy` is `copy`. */
export function shortActionName(name: string): string {
  return name.replace(/^ansible\.(?:builtin|legacy)\./, '');
}

/** The module that a task names: under its own name as a key, or with `action` or `local_action`. */
export function readAction(fields: Fields, level: Position): Action | undefined {
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

function reportSeveral(fields: Fields, actions: readonly string[], level: Position): void {
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
  const name: Text = { text: key, at: fields.document.keyAt(fields.dict, key) };
  return withArguments(fields, name, { value: fields.dict.get(key) ?? null, key, isLocal: false });
}

function explicitAction(fields: Fields, key: string): Action | undefined {
  const value = fields.get(key);
  const isLocal = key === 'local_action';
  const at = fields.at(key);
  if (typeof value === 'string') {
    const split = fields.context.attempt(() => splitActionName({ text: value, at }));
    if (!split) return undefined;
    const { name, rest } = split;
    if (name !== '') return withArguments(fields, { text: name, at }, { value: rest, key, isLocal });
  } else if (isDict(value) && typeof value.get('module') === 'string') {
    const module: Text = { text: String(value.get('module')), at };
    const split = fields.context.attempt(() => splitActionName(module));
    if (!split) return undefined;
    const given = new Map<Value, Value>();
    for (const [argument, content] of value)
      if (argument !== 'module' && argument !== 'args') given.set(argument, content);
    const text: Text = { text: split.rest, at };
    const written = readText(fields, split.name, text);
    if (!written) return undefined;
    for (const [argument, content] of written.options) given.set(argument, content);
    const inner = value.get('args') ?? null;
    // Here, and only here, they may be text; its words are no command line then.
    const more = typeof inner === 'string' ? readText(fields, '', { text: inner, at })?.options : inner;
    if (isDict(more)) for (const [argument, content] of more) given.set(argument, content);
    const action = withArguments(fields, { text: split.name, at }, { value: given, key, isLocal });
    return action && { ...action, ...written.rest };
  }
  return fields.report(
    key,
    `"${key}": expected the name of a module with its arguments, found ${describe(value ?? null)}`,
    `write "${key}: copy src=… dest=…", or a dictionary with the key "module"`,
  );
}

/** What stands after the module's name, in the order of the playbook's file. */
interface Given {
  readonly value: Value;
  /** The keyword or the module's name that it stands below. */
  readonly key: string;
  readonly isLocal: boolean;
}

/** `args:` stands beside the module; what is given to the module itself has precedence over it. */
function withArguments(fields: Fields, name: Text, { value, key, isLocal }: Given): Action | undefined {
  const args = new Map<Value, Value>();
  const templates: Text[] = [];
  const beside = fields.get('args');
  if (isDict(beside)) {
    for (const [argument, content] of beside) args.set(argument, content);
  } else if (typeof beside === 'string' && isWholeTemplate(beside)) {
    templates.push({ text: beside, at: fields.at('args') });
  } else if (beside !== undefined) {
    fields.report(
      'args',
      `"args": expected a dictionary, or a template that gives one, found ${describe(beside)}`,
    );
  }
  const at = fields.at(isDict(beside) && !isDict(value) ? 'args' : key);
  const action = (more: Partial<Action> = {}): Action => ({
    name,
    isLocal,
    args: { value: args, at },
    ...(templates.length === 0 ? {} : { argsTemplates: templates }),
    ...more,
  });
  if (value === null) return action();
  if (isDict(value)) {
    for (const [argument, content] of value) args.set(argument, content);
    return action();
  }
  if (typeof value === 'string') {
    const written = readText(fields, name.text, { text: value, at: fields.at(key) });
    if (!written) return undefined;
    for (const [argument, content] of written.options) args.set(argument, content);
    templates.push(...(written.rest.argsTemplates ?? []));
    return action(written.rest.freeForm ? { freeForm: written.rest.freeForm } : {});
  }
  fields.report(
    key,
    `"${name.text}": expected its arguments, found ${describe(value)}`,
    typeof value === 'object'
      ? 'arguments are a dictionary: each on its own line as "name: value"'
      : 'quote it',
  );
  return action();
}

/** Free-form text: its options, and what else it comes to; undefined when the module cannot use that. */
function readText(
  fields: Fields,
  action: string,
  text: Text,
): { readonly options: Dict; readonly rest: Pick<Arguments, 'freeForm' | 'argsTemplates'> } | undefined {
  const name = shortActionName(action);
  const split = fields.context.attempt(() => parseFreeForm(text, name));
  if (!split) return undefined;
  const { options } = split;
  if (split.text === undefined) return { options, rest: {} };
  const rest: Text = { text: split.text, at: text.at };
  if (takesText(name)) return { options, rest: { freeForm: rest } };
  if (isWholeTemplate(split.text) && !NAMED_ONLY.includes(name))
    return { options, rest: { argsTemplates: [rest] } };
  fields.context.problems.push(
    fields.document.problem(
      text.at,
      `${action === '' ? '"args"' : `"${action}"`}: expected key=value, found ${describe(split.text)}`,
      'a value with spaces must be quoted: key="some text"; or write the arguments as a dictionary below the module',
    ),
  );
  return undefined;
}

/** Actions to which a template cannot give all arguments at once, except as `args:`. */
const NAMED_ONLY = ['group_by', 'import_role', 'include_role', 'set_fact'];

/** Whether a text has nothing around its template, so that it can stand for a dictionary. */
function isWholeTemplate(text: string): boolean {
  return /^\s*\{[{%][^]*[}%]\}\s*$/.test(text);
}
