import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import { UserError } from '../lib/errors.ts';
import { openedContent } from '../lib/vault.ts';
import type { RoleContext } from '../playbook/ast.ts';
import type { ControllerFiles } from '../steps/plan.ts';
import { searchPath } from '../variables/search-path.ts';
import { localContent } from './local-file.ts';

/**
 * The controller's files as a task sees them. Relative paths are searched for as Ansible does: the role's
 * files/ or templates/, the role itself, its tasks/, then the same below the playbook's directory.
 */
export function controllerFiles(playbookDirectory: string, role: RoleContext | undefined): ControllerFiles {
  return {
    find(path, kind) {
      const candidates = searchPath(path, kind, playbookDirectory, role);
      const found = candidates.find((candidate) => existsSync(candidate));
      if (found === undefined) {
        throw new UserError({
          message: `no file ${path} on this machine`,
          hint: `looked for ${candidates.join(', ')}`,
        });
      }
      return found;
    },
    read: (path) => openedContent(readFileSync(path), path),
    content: localContent,
    resolve: (path) => resolve(playbookDirectory, path.replace(/^~(?=\/|$)/, homedir())),
    type(path) {
      const stat = statSync(path, { throwIfNoEntry: false });
      if (!stat) return 'missing';
      return stat.isDirectory() ? 'directory' : 'file';
    },
    mode: (path) => statSync(path).mode & 0o7777,
    list(directory) {
      return readdirSync(directory, { recursive: true, encoding: 'utf8' })
        .sort()
        .map((path) => {
          const stat = lstatSync(join(directory, path));
          return {
            path,
            type: stat.isDirectory() ? ('directory' as const) : ('file' as const),
            mode: stat.mode & 0o7777,
          };
        });
    },
  };
}
