import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, relative } from 'node:path';

import { type Problem, UserError } from '../../src/lib/errors.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { check } from '../../src/template/render.ts';
import { validatePlaybook } from '../../src/validate/validate.ts';
import { renderStatic } from '../../src/variables/static.ts';

/** What became of one role. */
export interface RoleVerdict {
  readonly name: string;
  /** Why it does not load; none when it does. */
  readonly refusals: readonly Problem[];
  /** What is wrong with files that only a run would load: included task files and templates. */
  readonly later: readonly Problem[];
}

/** The folders of all roles below a folder, wherever they stand. */
export function rolesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => /(^|\/)tasks\/main\.ya?ml$/.test(path))
    .map((path) => dirname(dirname(join(directory, path))))
    .filter((path) => !/\/(?:molecule|tests?)\//.test(relative(directory, path)))
    .sort();
}

/** Loads a role as a play of its own would, then every further file of its tasks and its templates. */
export async function judgeRole(role: string, root: string): Promise<RoleVerdict> {
  const name = relative(root, role) || basename(role);
  const refusals = await loadProblems(role, [`- hosts: all\n  roles: [${JSON.stringify(role)}]\n`]);
  const files = filesBelow(join(role, 'tasks')).filter((file) => ['.yml', '.yaml'].includes(extname(file)));
  const plays = files
    .map((file) => relative(join(role, 'tasks'), file))
    .filter((file) => !/^main\.ya?ml$/.test(file))
    .map(
      (file) =>
        `- hosts: all\n  tasks:\n    - import_role: {name: ${JSON.stringify(role)}, tasks_from: ${JSON.stringify(file)}}\n`,
    );
  const included = plays.length === 0 ? [] : await loadProblems(role, plays);
  const known = new Set(refusals.map(textOf));
  const later = [...included.filter((one) => !known.has(textOf(one))), ...templateProblems(role)];
  return { name, refusals, later };
}

function textOf(problem: Problem): string {
  const { file = '', line = 0 } = problem.location ?? {};
  return `${file}:${line}: ${problem.message}`;
}

async function loadProblems(role: string, plays: readonly string[]): Promise<readonly Problem[]> {
  const directory = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    const file = join(directory, 'play.yml');
    writeFileSync(file, plays.join(''));
    const playbook = loadPlaybook(file, {
      renderStatic: renderStatic(new Map()),
      rolesPath: [dirname(role)],
    });
    return await validatePlaybook(playbook);
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function templateProblems(role: string): readonly Problem[] {
  return filesBelow(join(role, 'templates'))
    .filter((file) => extname(file) === '.j2')
    .flatMap((file) => check(readFileSync(file, 'utf8'), 'template', { file, line: 1, column: 1 }));
}

function filesBelow(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((path) => join(directory, path))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false)
    .sort();
}
