import { existsSync, readdirSync, statSync } from 'node:fs';
import { extname, join, parse, relative } from 'node:path';

import { didYouMean } from '../lib/similar.ts';
import { isDict, type Value } from '../lib/value.ts';
import type { VarsBlock } from './ast.ts';
import { describe } from './fields.ts';
import type { FoundRole, Report } from './find-role.ts';
import type { LoadContext } from './load-context.ts';

/** Which files of a role are taken instead of main.yml. */
export interface RoleFiles {
  readonly tasksFrom?: string | undefined;
  readonly varsFrom?: string | undefined;
  readonly defaultsFrom?: string | undefined;
  readonly handlersFrom?: string | undefined;
}

const EXTENSIONS = ['.yml', '.yaml', '.json'];

/** One file of a role: main.yml, or the one that was asked for. */
export function roleFile(
  role: FoundRole,
  folder: 'tasks' | 'handlers' | 'meta',
  from: string | undefined,
  report: Report,
): string | undefined {
  return candidatesIn(role, folder, from, report).find((path) => !isDirectory(path));
}

/** The variables of a role's vars/ or defaults/: main.yml, or all files of main/; weakest first. */
export function roleVars(
  context: LoadContext,
  role: FoundRole,
  folder: 'vars' | 'defaults',
  from: string | undefined,
  report: Report,
): readonly VarsBlock[] {
  const [found] = candidatesIn(role, folder, from, report);
  if (found === undefined) return [];
  const files = isDirectory(found) ? filesBelow(found) : [found];
  return files.flatMap((file): VarsBlock[] => {
    const document = context.read(file);
    if (!document || document.value === null) return [];
    if (isDict(document.value)) return [{ values: document.value, at: document.start }];
    context.problems.push(
      document.problem(
        document.start,
        `expected a dictionary of variables, found ${describe(document.value)}`,
      ),
    );
    return [];
  });
}

function candidatesIn(
  role: FoundRole,
  folder: string,
  from: string | undefined,
  report: Report,
): readonly string[] {
  const base = join(role.directory, folder);
  const path = join(base, from ?? 'main');
  if (relative(base, path).startsWith('..')) {
    report(`${from} is outside the ${folder}/ of the role "${role.name}"`);
    return [];
  }
  const names = from === undefined ? [...EXTENSIONS, ''] : ['', ...EXTENSIONS];
  const found = names.map((extension) => `${path}${extension}`).filter((candidate) => existsSync(candidate));
  if (found.length === 0 && from !== undefined) {
    const near = isDirectory(base)
      ? didYouMean(
          from,
          readdirSync(base).flatMap((file) => [parse(file).name, file]),
        )
      : undefined;
    report(`the role "${role.name}" has no ${folder}/${from}`, near);
  }
  return found;
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory)
    .sort()
    .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
    .flatMap((name) => {
      const path = join(directory, name);
      if (isDirectory(path)) return extname(name) === '' ? filesBelow(path) : [];
      return ['', ...EXTENSIONS].includes(extname(name)) ? [path] : [];
    });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Whether a switch is written as off. */
export function isOff(value: Value | undefined): boolean {
  return value === false || (typeof value === 'string' && /^(no|false|off|n|0)$/i.test(value));
}
