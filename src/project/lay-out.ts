import { chmod, link, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { UserError } from '../lib/errors.ts';

/** The package, or the checkout: in either this file's code is two directories below it. */
const SHIPPED = fileURLToPath(new URL('../../', import.meta.url));

/** What the site needs beside an inventory. */
const PARTS = [
  'playbooks',
  'files/app/dist',
  'files/failover',
  'files/monitoring',
  'files/mysql',
  'inventory/lab/group_vars',
];

/** A file of a project, by its path below the project's directory. */
export interface ProjectFile {
  readonly path: string;
  readonly content: Buffer | string;
  readonly executable?: boolean;
}

/** What laying out did: nothing that was there is touched. */
export interface LaidOut {
  readonly made: readonly string[];
  /** Files that were there with another content. */
  readonly kept: readonly string[];
}

/** A file that is shipped with this program. */
export async function shippedText(path: string): Promise<string> {
  return await readFile(join(SHIPPED, path), 'utf8');
}

/** The site's playbooks and roles, and the files that they put on hosts. */
export async function siteFiles(): Promise<readonly ProjectFile[]> {
  const files = await Promise.all(PARTS.map(shippedFiles));
  return files.flat();
}

/** All files below a shipped directory. */
export async function shippedFiles(directory: string): Promise<readonly ProjectFile[]> {
  let entries;
  try {
    entries = await readdir(join(SHIPPED, directory), { recursive: true, withFileTypes: true });
  } catch (error) {
    throw new UserError(
      { message: `${join(SHIPPED, directory)} cannot be read`, hint: 'in a checkout, `npm ci` makes it' },
      { cause: error },
    );
  }
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return await Promise.all(
    paths.sort().map(async (path) => ({
      path: relative(SHIPPED, path),
      content: await readFile(path),
      executable: ((await stat(path)).mode & 0o100) !== 0,
    })),
  );
}

/** Writes the files that are not there yet. Nothing is overwritten, so an interrupted one is completed by the next. */
export async function layOut(directory: string, files: readonly ProjectFile[]): Promise<LaidOut> {
  const made: string[] = [];
  const kept: string[] = [];
  for (const file of files) {
    const target = join(directory, file.path);
    if (await makeFile(target, file)) made.push(file.path);
    else if (!(await hasContent(target, file.content))) kept.push(file.path);
  }
  return { made, kept };
}

/** Whether the file is a new one. It appears whole or not at all. */
async function makeFile(target: string, { content, executable }: ProjectFile): Promise<boolean> {
  const temporary = `${target}.${process.pid}.new`;
  try {
    await mkdir(dirname(target), { recursive: true });
    await writeFile(temporary, content, { flag: 'wx' });
    if (executable === true) await chmod(temporary, 0o755);
    // Unlike a rename, a link never replaces what is there.
    return await link(temporary, target).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
  } catch (error) {
    throw new UserError(`${target} cannot be written: ${(error as Error).message}`, { cause: error });
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

async function hasContent(file: string, content: Buffer | string): Promise<boolean> {
  try {
    return (await readFile(file)).equals(Buffer.from(content));
  } catch {
    // A directory of that name, or a file that we may not read.
    return false;
  }
}
