import { isAbsolute, join, resolve } from 'node:path';

import type { RoleContext } from '../playbook/ast.ts';

/** Where a relative path may stand, best first. */
export function searchPath(
  path: string,
  kind: string,
  playbookDirectory: string,
  role: RoleContext | undefined,
): readonly string[] {
  if (isAbsolute(path)) return [path];
  const directories: string[] = [];
  for (let current = role; current; current = current.parent) {
    directories.push(join(current.directory, kind), current.directory, join(current.directory, 'tasks'));
  }
  directories.push(join(playbookDirectory, kind), playbookDirectory);
  return directories.map((directory) => resolve(directory, path));
}
