import { open, readFile, stat } from 'node:fs/promises';

import { UserError } from '../lib/errors.ts';
import type { Content } from './transport.ts';

/** A file of this machine that cannot be read: no other way to the host would help. */
export class LocalFileError extends UserError {
  constructor(file: string, cause: unknown) {
    super(`cannot read ${file} on this machine: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.name = 'LocalFileError';
  }
}

/** How many bytes the content has. */
export async function sizeOf(content: Content): Promise<number> {
  if (Buffer.isBuffer(content)) return content.length;
  return (await aboutFile(content.localFile, () => stat(content.localFile))).size;
}

/** All of a content that is small. */
export async function wholeOf(content: Content): Promise<Buffer> {
  if (Buffer.isBuffer(content)) return content;
  return await aboutFile(content.localFile, () => readFile(content.localFile));
}

/** A part of the content at its place in the whole. */
export interface Piece {
  readonly bytes: Buffer;
  readonly position: number;
}

/**
 * The content, at most `length` bytes at a time: a large file is never in memory as a whole. Each piece is the
 * reader's to keep. Rejects with a LocalFileError, also when the file became shorter meanwhile.
 */
export async function* piecesOf(content: Content, length: number): AsyncGenerator<Piece, void, void> {
  if (Buffer.isBuffer(content)) {
    for (let position = 0; position < content.length; position += length)
      yield { bytes: content.subarray(position, position + length), position };
    return;
  }
  const { localFile } = content;
  const handle = await aboutFile(localFile, () => open(localFile));
  try {
    const { size } = await aboutFile(localFile, () => handle.stat());
    for (let position = 0; position < size;) {
      const buffer = Buffer.allocUnsafe(Math.min(length, size - position));
      const at = position;
      const { bytesRead } = await aboutFile(localFile, () => handle.read(buffer, 0, buffer.length, at));
      if (bytesRead === 0) throw new LocalFileError(localFile, new Error('it became shorter meanwhile'));
      yield { bytes: buffer.subarray(0, bytesRead), position };
      position += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

async function aboutFile<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new LocalFileError(file, error);
  }
}
