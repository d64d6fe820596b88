import type { SourceLocation } from '../lib/errors.ts';
import { isDict, type Dict, type Value } from '../lib/value.ts';
import type { YamlDocument } from '../lib/yaml.ts';
import type { Inherited, VarsBlock } from './ast.ts';
import { describe, Fields } from './fields.ts';
import { NOTHING_INHERITED, readInheritance } from './inheritance.ts';
import { isKeyword } from './keyword-places.ts';
import type { LoadContext } from './load-context.ts';
import type { Report } from './find-role.ts';

/** One entry of `roles:` or of a role's dependencies. */
export interface RoleEntry {
  readonly name: string;
  readonly own: Inherited;
  /** Words that are no keywords are parameters of the role, which override nearly everything. */
  readonly params: readonly VarsBlock[];
  readonly report: Report;
  readonly at: SourceLocation;
}

/** What only ansible-galaxy reads. */
const GALAXY = ['src', 'scm', 'version'];

/** Reads an entry: a name, or a dictionary with keywords, variables and parameters. */
export function readRoleEntry(
  context: LoadContext,
  document: YamlDocument,
  entry: Value,
  at: SourceLocation,
  vars: readonly VarsBlock[],
): RoleEntry | undefined {
  const report: Report = (message, hint) => {
    context.problems.push(document.problem(at, message, hint));
  };
  if (typeof entry === 'number')
    return { name: String(entry), own: NOTHING_INHERITED, params: [], report, at };
  if (typeof entry === 'string') {
    if (entry.includes(',')) {
      report(`"${entry}" is not the name of a role`, 'variables are given as: {role: NAME, vars: {…}}');
      return undefined;
    }
    const name = context.renderStatic({ text: entry, at }, vars);
    return name === undefined ? undefined : { name, own: NOTHING_INHERITED, params: [], report, at };
  }
  if (!isDict(entry)) {
    report(`expected the name of a role, or a dictionary with it, found ${describe(entry)}`);
    return undefined;
  }
  const fields = new Fields(context, document, entry);
  const written = fields.text('role') ?? fields.text('name') ?? galaxyName(fields);
  if (!written) {
    report('a role is named with "role: NAME"');
    return undefined;
  }
  fields.checkKeywords('role', (key) => !isKeyword(key, 'role'));
  const own = readInheritance(fields, vars);
  const name = context.renderStatic(written, vars);
  return name === undefined ? undefined : { name, own, params: paramsOf(fields, entry), report, at };
}

function galaxyName(fields: Fields): ReturnType<Fields['text']> {
  const source = fields.text('src');
  if (!source) return undefined;
  const last = source.text.split('/').at(-1) ?? '';
  return { text: (last.split(',')[0] ?? '').replace(/\.git$|\.tar\.gz$/, ''), at: source.at };
}

function paramsOf(fields: Fields, entry: Dict): readonly VarsBlock[] {
  const params = new Map<Value, Value>();
  for (const [key, value] of entry) {
    const word = String(key);
    if (isKeyword(word, 'role') || GALAXY.includes(word)) continue;
    params.set(key, value);
  }
  return params.size === 0 ? [] : [{ values: params, at: fields.start }];
}
