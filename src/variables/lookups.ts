import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, matchesGlob, resolve } from 'node:path';

import { UserError } from '../lib/errors.ts';
import { keepSecret, makePassword } from '../lib/keep-secret.ts';
import type { SecretRegistry } from '../lib/secret.ts';
import { userEnvironment } from '../lib/system-path.ts';
import { openedText } from '../lib/vault.ts';
import { isDict, isList, type Dict, type Value } from '../lib/value.ts';
import type { RoleContext } from '../playbook/ast.ts';
import type { VariableSource } from '../template/environment.ts';
import { isLookup, LOOKUPS, shortLookupName, type LookupName } from './lookup-names.ts';
import { searchPath } from './search-path.ts';

export interface LookupContext {
  readonly playbookDirectory: string;
  readonly role: RoleContext | undefined;
  readonly variables: VariableSource;
  readonly secrets: SecretRegistry;
  /** Renders a template file's text with the task's variables. */
  renderTemplate(source: string, file: string): string;
  /** The hosts that a pattern selects. */
  hostsOf(pattern: string): readonly string[];
  /** Reading ahead must have no effects: a lookup that runs something is put off. */
  readonly ahead: boolean;
}

type Options = ReadonlyMap<string, Value>;
type Lookup = (terms: readonly Value[], options: Options, context: LookupContext) => Value[];

/** An item without the list that its subelements are from, as Ansible shows it. */
function without(item: Value, path: string): Value {
  const [first = '', ...rest] = path.split('.');
  if (!isDict(item)) return item;
  return new Map(
    [...item].flatMap(([key, value]): [Value, Value][] => {
      if (key !== first) return [[key, value]];
      return rest.length === 0 ? [] : [[key, without(value, rest.join('.'))]];
    }),
  );
}

/** A lookup that cannot be answered while reading ahead. */
export class NotYet extends Error {}

/** Ansible's lookup plugins, as `query` answers: always a list. */
const lookups: Readonly<Record<LookupName, Lookup>> = {
  env: (terms, options) => terms.map((term) => process.env[String(term)] ?? options.get('default') ?? ''),
  file: (terms, options, context) =>
    terms.map((term) => {
      const text = fileText(term, context);
      return options.get('rstrip') === false ? text : text.trimEnd();
    }),
  unvault: (terms, _options, context) => terms.map((term) => fileText(term, context)),
  template: (terms, _options, context) =>
    terms.map((term) => {
      const path = find(term, 'templates', context);
      return context.renderTemplate(openedText(readFileSync(path, 'utf8'), path), path);
    }),
  fileglob: (terms, _options, context) =>
    terms.flatMap((term) => {
      const pattern = String(term);
      const [directory] = searchPath(
        dirname(pattern),
        'files',
        context.playbookDirectory,
        context.role,
      ).filter((path) => existsSync(path));
      // As with Ansible, a directory that is not there holds nothing.
      if (directory === undefined) return [];
      return readdirSync(directory)
        .filter((name) => matchesGlob(name, basename(pattern)))
        .sort()
        .map((name) => join(directory, name));
    }),
  first_found: (terms, options, context) => {
    const { names, skip } = firstFoundNames(terms, options);
    const found = names
      .flatMap((name) =>
        ['files', 'templates', 'vars', 'tasks'].flatMap((kind) =>
          searchPath(name, kind, context.playbookDirectory, context.role),
        ),
      )
      .find((path) => existsSync(path));
    if (found !== undefined) return [found];
    if (skip) return [];
    throw new UserError(`lookup first_found: none of ${names.join(', ')} exists`);
  },
  vars: (terms, options, context) =>
    terms.map((term) => {
      const found = context.variables.get(String(term));
      const value = found === undefined ? options.get('default') : found;
      if (value === undefined) throw new UserError(`lookup vars: there is no variable "${String(term)}"`);
      return value;
    }),
  varnames: (terms, _options, context) => {
    const names = [...context.variables.names()];
    return terms.flatMap((term) => names.filter((name) => new RegExp(String(term)).test(name)));
  },
  items: (terms) => terms.flatMap((term) => (isList(term) ? term : [term])),
  list: (terms) => [...terms],
  indexed_items: (terms) =>
    terms.flatMap((term) => (isList(term) ? term : [term])).map((item, index) => [index, item]),
  dict: (terms) =>
    terms.flatMap((term) => {
      if (!isDict(term)) throw new UserError('lookup dict: expected a dictionary');
      return [...term].map(
        ([key, value]) =>
          new Map<Value, Value>([
            ['key', key],
            ['value', value],
          ]),
      );
    }),
  flattened: (terms) => flatten(terms),
  together: (terms) => {
    const lists = terms.map((term) => (isList(term) ? term : [term]));
    const length = Math.max(0, ...lists.map((list) => list.length));
    return Array.from({ length }, (_, index) => lists.map((list) => list[index] ?? null));
  },
  nested: (terms) =>
    terms
      .map((term) => (isList(term) ? term : [term]))
      .reduce<Value[][]>(
        (product, list) => product.flatMap((row) => list.map((item) => [...row, item])),
        [[]],
      ),
  subelements: ([list, key, flags]) => {
    const skip = isDict(flags ?? null) && (flags as Dict).get('skip_missing') === true;
    const items = isDict(list ?? null)
      ? [...(list as Dict).values()]
      : isList(list ?? null)
        ? (list as readonly Value[])
        : [];
    return items.flatMap((item) => {
      const found = String(key)
        .split('.')
        .reduce<Value | undefined>((value, part) => (isDict(value) ? value.get(part) : undefined), item);
      if (isList(found)) return found.map((part) => [without(item, String(key)), part]);
      if (found === undefined && skip) return [];
      throw new UserError(`lookup subelements: an item has no list "${String(key)}"`);
    });
  },
  random_choice: (terms) => (terms.length === 0 ? [] : [terms[randomInt(terms.length)] ?? null]),
  inventory_hostnames: (terms, _options, context) =>
    terms.flatMap((term) => [...context.hostsOf(String(term))]),
  sequence: (terms, options) => terms.flatMap((term) => sequence(String(term), options)),
  lines: (terms, _options, context) =>
    terms.flatMap((term) =>
      runPipe(String(term), context)
        .split('\n')
        .filter((line, index, all) => line !== '' || index < all.length - 1),
    ),
  pipe: (terms, _options, context) => terms.map((term) => runPipe(String(term), context).trimEnd()),
  password: (terms, options, context) => terms.map((term) => password(String(term), options, context)),
};

/** Answers a lookup, or says which ones there are. */
export function lookUp(
  name: string,
  terms: readonly Value[],
  options: Options,
  context: LookupContext,
): Value[] {
  const short = shortLookupName(name);
  if (!isLookup(short)) {
    throw new UserError(`the lookup "${name}" is not supported; there are ${[...LOOKUPS].sort().join(', ')}`);
  }
  return lookups[short](terms, options, context);
}

/** A file's text; what the vault held stays secret. */
function fileText(term: Value, context: LookupContext): string {
  const path = find(term, 'files', context);
  const written = readFileSync(path, 'utf8');
  const text = openedText(written, path);
  return text === written ? text : secret(text, context);
}

function find(term: Value, kind: string, context: LookupContext): string {
  const paths = searchPath(String(term), kind, context.playbookDirectory, context.role);
  const found = paths.find((path) => existsSync(path));
  if (found === undefined)
    throw new UserError(`no file ${String(term)} on this machine; looked for ${paths.join(', ')}`);
  return found;
}

function flatten(values: readonly Value[]): Value[] {
  return values.flatMap((value) => (isList(value) ? flatten(value) : [value]));
}

function firstFoundNames(terms: readonly Value[], options: Options): { names: string[]; skip: boolean } {
  const names: string[] = [];
  let skip = options.get('skip') === true;
  const add = (files: Value | undefined, paths: Value | undefined): void => {
    const directories = paths === undefined || paths === null ? [''] : asList(paths);
    for (const directory of directories) {
      for (const file of asList(files ?? [])) names.push(join(String(directory), String(file)));
    }
  };
  for (const term of terms) {
    if (isDict(term)) {
      add(term.get('files'), term.get('paths'));
      if (term.get('skip') === true) skip = true;
    } else add(term, options.get('paths'));
  }
  if (options.has('files')) add(options.get('files'), options.get('paths'));
  return { names, skip };
}

function asList(value: Value): readonly Value[] {
  return isList(value) ? value : [value];
}

function sequence(term: string, options: Options): string[] {
  const given = new Map<string, Value>(options);
  for (const [, key, value] of term.matchAll(/(\w+)=(\S+)/g)) given.set(String(key), String(value));
  const number = (key: string, otherwise: number): number => Number(given.get(key) ?? otherwise);
  const start = number('start', 1);
  const stride = number('stride', 1);
  const end = given.has('count') ? start + stride * (number('count', 0) - 1) : number('end', 0);
  const format = String(given.get('format') ?? '%d');
  const result: string[] = [];
  for (let value = start; stride > 0 ? value <= end : value >= end; value += stride) {
    result.push(
      format.replace(/%(0?)(\d*)([dx])/, (_, zero: string, width: string, kind: string) =>
        value.toString(kind === 'x' ? 16 : 10).padStart(Number(width || 0), zero === '0' ? '0' : ' '),
      ),
    );
  }
  return result;
}

function runPipe(line: string, context: LookupContext): string {
  if (context.ahead) throw new NotYet('a lookup that runs a command is not read ahead');
  const { status, signal, stdout, error } = spawnSync('/bin/sh', ['-c', line], {
    encoding: 'utf8',
    // Commands without a playbook have a directory for it that need not be there.
    cwd: existsSync(context.playbookDirectory) ? context.playbookDirectory : process.cwd(),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: userEnvironment(),
  });
  if (status === 0) return stdout;
  const reason =
    error?.message ?? (signal === null ? `ended with status ${status}` : `was ended by ${signal}`);
  throw new UserError(`lookup pipe: the command "${line}" ${reason}`);
}

const CHARACTERS: Readonly<Record<string, string>> = {
  ascii_letters: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ',
  ascii_lowercase: 'abcdefghijklmnopqrstuvwxyz',
  ascii_uppercase: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  digits: '0123456789',
  hexdigits: '0123456789abcdefABCDEF',
  punctuation: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
};

/**
 * A password kept in a file of the controller, made at the first use (Ansible's `password` lookup). The file appears
 * whole or not at all, and whoever comes second takes the first one's.
 */
function password(term: string, options: Options, context: LookupContext): string {
  const [path = '', ...words] = term.split(' ');
  const given = new Map<string, Value>(options);
  for (const word of words) {
    const [key = '', ...rest] = word.split('=');
    given.set(key, rest.join('='));
  }
  if (given.has('encrypt'))
    throw new UserError('lookup password: "encrypt" is not supported; use the filter password_hash');
  const file = isAbsolute(path) ? path : resolve(context.playbookDirectory, path);
  if (file !== '/dev/null' && existsSync(file)) return secret(readFileSync(file, 'utf8').trimEnd(), context);

  const chars = asList(given.get('chars') ?? ['ascii_letters', 'digits', '.,:-_']).flatMap((item) =>
    String(item)
      .split(',')
      .filter((part) => part !== ''),
  );
  const alphabet = chars.map((name) => CHARACTERS[name] ?? name).join('');
  const made = makePassword(Number(given.get('length') ?? 20), alphabet);
  if (file === '/dev/null') return secret(made, context);
  keepSecret(file, made);
  return secret(readFileSync(file, 'utf8').trimEnd(), context);
}

function secret(value: string, context: LookupContext): string {
  context.secrets.add(value);
  return value;
}
