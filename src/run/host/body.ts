import { createHash, type Hash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { UserError } from '../../lib/errors.ts';
import type { FileContent } from '../../steps/step.ts';

/** Above this, the body of an answer goes to a file of this machine. */
const IN_MEMORY_LIMIT = 8 * 1024 * 1024;

/** What comes from a server: in memory while it is small, then in a temporary file. */
export interface BodySink {
  add(chunk: Buffer): void;
  /** What has come; the digests asked for, by the algorithm's name. */
  end(): { readonly content: FileContent; readonly digests: Readonly<Record<string, string>> };
  /** Removes the temporary file. */
  discard(): void;
}

/** A sink that takes the SHA-1 and other digests on the way. */
export function bodySink(algorithms: readonly string[]): BodySink {
  const hashes = new Map<string, Hash>(['sha1', ...algorithms].map((name) => [name, createHash(name)]));
  let chunks: Buffer[] = [];
  let size = 0;
  let file: { readonly directory: string; readonly path: string; readonly descriptor: number } | undefined;
  const write = (chunk: Buffer): void => {
    file ??= temporaryFile();
    for (let from = 0; from < chunk.length;) from += writeSync(file.descriptor, chunk, from);
  };
  return {
    add(chunk) {
      size += chunk.length;
      for (const hash of hashes.values()) hash.update(chunk);
      if (size <= IN_MEMORY_LIMIT) {
        chunks.push(chunk);
        return;
      }
      try {
        for (const earlier of chunks) write(earlier);
        chunks = [];
        write(chunk);
      } catch (error) {
        throw new UserError(
          `a large answer cannot be kept in ${tmpdir()} on this machine: ${(error as Error).message}`,
          { cause: error },
        );
      }
    },
    end() {
      const digests = Object.fromEntries([...hashes].map(([name, hash]) => [name, hash.digest('hex')]));
      const content = file
        ? { localFile: file.path, size, sha1: digests['sha1'] ?? '' }
        : Buffer.concat(chunks);
      return { content, digests };
    },
    discard() {
      if (!file) return;
      closeSync(file.descriptor);
      rmSync(file.directory, { recursive: true, force: true });
      file = undefined;
    },
  };
}

function temporaryFile() {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-body-'));
  const path = join(directory, 'body');
  return { directory, path, descriptor: openSync(path, 'wx', 0o600) };
}
