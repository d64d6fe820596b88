import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join, sep } from 'node:path';

import { type Problem, UserError } from '../lib/errors.ts';

/** A file of a release. Links are followed: on a server there are files alone. */
export interface ReleaseFile {
  /** Below the release. */
  readonly path: string;
  /** On this machine. */
  readonly source: string;
  readonly mode: 0o644 | 0o755;
}

/** A folder that is a release: all that it holds, and its name by that. */
export interface ReleaseFolder {
  readonly path: string;
  readonly files: readonly ReleaseFile[];
  readonly bytes: number;
  /** SHA-256, in hexadecimal digits. */
  readonly digest: string;
}

/** Reads a folder as a release that starts with the file `entry`; rejects with all that is wrong with it. */
export function readReleaseFolder(path: string, entry: string): ReleaseFolder {
  const problems: Problem[] = [];
  const files: ReleaseFile[] = [];
  let bytes = 0;
  const root = realpathSync(path);
  const visit = (relative: string, above: readonly string[]): void => {
    const source = join(root, relative);
    let real: string;
    let stats: Stats;
    try {
      real = realpathSync(source);
      stats = statSync(real);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      problems.push({ message: `${relative}: ${code === 'ENOENT' ? 'it leads nowhere' : String(code)}` });
      return;
    }
    if (real !== root && !real.startsWith(`${root}${sep}`)) {
      problems.push({ message: `${relative}: it leads out of the release, to ${real}` });
    } else if (stats.isDirectory()) {
      if (above.includes(real)) problems.push({ message: `${relative}: it leads back to a folder above it` });
      else {
        for (const name of readdirSync(real).sort())
          visit(relative === '' ? name : join(relative, name), [...above, real]);
      }
    } else if (stats.isFile()) {
      bytes += stats.size;
      files.push({ path: relative, source: real, mode: (stats.mode & 0o100) === 0 ? 0o644 : 0o755 });
    } else {
      problems.push({ message: `${relative}: it is neither a file nor a folder` });
    }
  };
  if (existsSync(join(root, '.git'))) {
    throw new UserError({
      message: `${path} is a working copy of git, and no built release`,
      hint: '`provision deploy HEAD` builds one of what is committed',
    });
  }
  visit('', []);
  if (problems.length === 0 && !files.some((file) => file.path === entry)) {
    problems.push({
      message: `${path} has no file ${entry}, with which the app starts`,
      hint: 'name the folder that the build leaves; another entry is set as app_entry in the inventory',
    });
  }
  if (problems.length > 0) throw new UserError(problems);
  return { path, files, bytes, digest: digestOf(files) };
}

function digestOf(files: readonly ReleaseFile[]): string {
  const all = createHash('sha256');
  for (const { path, source, mode } of files) {
    const content = createHash('sha256').update(readFileSync(source)).digest('hex');
    all.update(`${mode.toString(8)} ${content} ${path}\0`);
  }
  return all.digest('hex');
}
