import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, readSync, type BigIntStats } from 'node:fs';

import { openedContent } from '../lib/vault.ts';
import type { FileContent, LocalFile } from '../steps/step.ts';

/** Above this, a file stays where it is: only its digest is taken. */
const IN_MEMORY_LIMIT = 1024 * 1024;

const PIECE = 1024 * 1024;

/** Large files, by what changes with their content: hundreds of hosts may get the same one. */
const known = new Map<string, LocalFile>();

/** The content of a file of this machine; a large one is never in memory as a whole. */
export function localContent(path: string): FileContent {
  const descriptor = openSync(path, 'r');
  try {
    const stat = fstatSync(descriptor, { bigint: true });
    if (stat.size <= IN_MEMORY_LIMIT) return openedContent(readFileSync(descriptor), path);
    const id = identity(path, stat);
    const file = known.get(id) ?? digested(path, descriptor);
    known.set(id, file);
    return file;
  } finally {
    closeSync(descriptor);
  }
}

function identity(path: string, stat: BigIntStats): string {
  return [path, stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join('\0');
}

function digested(localFile: string, descriptor: number): LocalFile {
  const sha1 = createHash('sha1');
  const buffer = Buffer.allocUnsafe(PIECE);
  let size = 0;
  for (let read = -1; read !== 0; size += read) {
    read = readSync(descriptor, buffer, 0, PIECE, size);
    sha1.update(buffer.subarray(0, read));
  }
  return { localFile, size, sha1: sha1.digest('hex') };
}
