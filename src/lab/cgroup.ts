import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../lib/async.ts';

/** Where the cgroup v2 hierarchy is mounted, also beside v1 hierarchies; undefined where there is none. */
export async function cgroupMount(): Promise<string | undefined> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  return mountOfType(mounts, 'cgroup2');
}

/** The first mount point of a file system type in the text of /proc/mounts. */
export function mountOfType(mounts: string, type: string): string | undefined {
  for (const line of mounts.split('\n')) {
    const [, path, fileSystem] = line.split(' ');
    if (fileSystem === type) return path;
  }
  return undefined;
}

/** All processes of a group and of the groups below it. */
export async function processesIn(group: string): Promise<readonly number[]> {
  const pids: number[] = [];
  await walk(group, async (directory) => {
    const text = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(ignoreGone(''));
    for (const line of text.split('\n')) if (line !== '') pids.push(Number(line));
  });
  return pids;
}

/** Whether any process is left in a group or below it. */
export async function isPopulated(group: string): Promise<boolean> {
  const events = await readFile(join(group, 'cgroup.events'), 'utf8').catch(ignoreGone(''));
  return /^populated 1$/m.test(events);
}

export async function isFrozen(group: string): Promise<boolean> {
  const events = await readFile(join(group, 'cgroup.events'), 'utf8').catch(ignoreGone(''));
  return /^frozen 1$/m.test(events);
}

/** Stops or continues every process of a group, and waits until the kernel says so. */
export async function setFrozen(group: string, frozen: boolean): Promise<void> {
  await writeFile(join(group, 'cgroup.freeze'), frozen ? '1' : '0');
  await until(async () => (await isFrozen(group)) === frozen, `${group} to ${frozen ? 'freeze' : 'thaw'}`);
}

/** Ends every process of a group at once, and removes the group. A group that is not there is no error. */
export async function killGroup(group: string): Promise<void> {
  const kill = () => writeFile(join(group, 'cgroup.kill'), '1').catch(ignoreGone(undefined));
  await kill();
  // Thawed after the kill, so that no frozen process runs on for a moment.
  await writeFile(join(group, 'cgroup.freeze'), '0').catch(ignoreGone(undefined));
  await until(async () => !(await isPopulated(group)), `the processes of ${group} to end`, kill);
  await removeGroup(group);
}

/** Removes an empty group with the groups below it. */
export async function removeGroup(group: string): Promise<void> {
  const directories: string[] = [];
  await walk(group, (directory) => {
    directories.push(directory);
    return Promise.resolve();
  });
  for (const directory of directories.reverse()) await rmdir(directory).catch(ignoreGone(undefined));
}

export async function makeGroup(group: string): Promise<void> {
  await mkdir(group, { recursive: true });
}

/** Waits for a condition of the kernel's, which come within milliseconds; 20 s mean that something is wrong. */
export async function until(
  condition: () => Promise<boolean>,
  what: string,
  again: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (let pause = 2; !(await condition()); pause = Math.min(50, pause * 2)) {
    if (Date.now() > deadline) throw new Error(`waited 20 s for ${what}`);
    await sleep(pause);
    await again();
  }
}

async function walk(directory: string, visit: (directory: string) => Promise<void>): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(ignoreGone(undefined));
  if (!entries) return;
  await visit(directory);
  for (const entry of entries) if (entry.isDirectory()) await walk(join(directory, entry.name), visit);
}

/** A group may vanish between two looks at it: its processes end when they like. */
function ignoreGone<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ENODEV') return value;
    throw error;
  };
}
