import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, sep } from 'node:path';

/*
 * npm puts `node_modules/.bin` first on PATH, and packages bring programs with the names of the system's: `nft` is one.
 * A program of the system must never be looked for there. This file says where it is looked for, for all who start one.
 */

/** Where Debian and most others keep programs; a user's PATH may lack the directories of root's. */
const SYSTEM = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Without the directories that npm adds, in the order they have. */
export function pathWithoutPackages(path: string): string {
  return path
    .split(delimiter)
    .filter((directory) => !isOfNpm(directory))
    .join(delimiter);
}

/** The system's directories first, then those of the user that are not npm's. */
export function systemPath(path: string = process.env['PATH'] ?? ''): string {
  // A relative directory means another one wherever a program is started.
  const others = path.split(delimiter).filter((directory) => isAbsolute(directory) && !isOfNpm(directory));
  return [...new Set([...SYSTEM, ...others])].join(delimiter);
}

type Environment = Readonly<NodeJS.ProcessEnv>;

/** The environment for a program of the system: found in the system's own directories first. */
export function systemEnvironment(base: Environment = process.env): NodeJS.ProcessEnv {
  return { ...base, PATH: systemPath(base['PATH']) };
}

/** The environment for what the user has written (a script, a hook, a task on this machine): the user's, without npm's. */
export function userEnvironment(base: Environment = process.env): NodeJS.ProcessEnv {
  const path = pathWithoutPackages(base['PATH'] ?? '');
  return { ...base, PATH: path === '' ? SYSTEM.join(delimiter) : path };
}

/** Where a program of the system is; undefined when it is not installed. */
export async function findSystemProgram(name: string, path?: string): Promise<string | undefined> {
  for (const directory of systemPath(path).split(delimiter)) {
    const file = join(directory, name);
    if (await isProgram(file)) return file;
  }
  return undefined;
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

function isOfNpm(directory: string): boolean {
  const parts = directory.split(sep);
  return parts.includes('node_modules') || parts.includes('node-gyp-bin');
}
