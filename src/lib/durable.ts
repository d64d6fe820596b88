import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** The text of a file; undefined when there is none. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces a file whole: at every moment, also after a power loss, it holds the old text or the new one. */
export function replaceFile(path: string, text: string | Buffer, mode = 0o644): void {
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  const file = openSync(fresh, 'wx', mode);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
  syncDirectory(dirname(path));
}

/** Appends a line to a file, after removing an incomplete last line of a killed process. Returns the file's size. */
export function appendLine(path: string, line: string): number {
  const isNew = isAbsent(path);
  const file = openSync(path, 'a+', 0o644);
  try {
    const { size } = fstatSync(file);
    ftruncateSync(file, lastLineEnd(file, size));
    writeSync(file, `${line}\n`);
    fsyncSync(file);
    if (isNew) syncDirectory(dirname(path));
    return fstatSync(file).size;
  } finally {
    closeSync(file);
  }
}

/** The complete lines of a file; none when there is no file. */
export function readLines(path: string): readonly string[] {
  const text = readIfThere(path);
  // Text after the last line break is an incomplete line.
  return text === undefined ? [] : text.split('\n').slice(0, -1);
}

export function makeDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o755 });
}

/** The length of the file up to and including its last line break. */
function lastLineEnd(file: number, size: number): number {
  const chunk = Buffer.alloc(64 * 1024);
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - chunk.length);
    const count = readSync(file, chunk, 0, end - start, start);
    const at = chunk.subarray(0, count).lastIndexOf(0x0a);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}

function isAbsent(path: string): boolean {
  try {
    closeSync(openSync(path, 'r'));
    return false;
  } catch {
    return true;
  }
}

/** What was done to the names in a directory outlives a power loss. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
