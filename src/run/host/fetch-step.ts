import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

import { UserError } from '../../lib/errors.ts';
import { command } from '../../lib/shell.ts';
import type { Step, StepOutput } from '../../steps/step.ts';
import type { Connection } from '../../transport/transport.ts';
import type { Actor } from './actor.ts';
import { StepFailure } from './step-failure.ts';

/** Brings a file of the target here; it takes its place whole or not at all, and is never in memory as a whole. */
export async function fetchFile(
  step: Extract<Step, { kind: 'fetch' }>,
  connection: Connection,
  actor: Actor,
): Promise<StepOutput> {
  const { localPath } = step;
  const temporary = `${localPath}.${randomBytes(6).toString('hex')}`;
  const descriptor = onThisMachine(localPath, () => {
    mkdirSync(dirname(localPath), { recursive: true });
    return openSync(temporary, 'wx');
  });
  try {
    const found = await receive(step, descriptor, connection, actor).finally(() => closeSync(descriptor));
    if (step.sha1 !== undefined && step.sha1 !== found) {
      const what = `the file has the SHA-1 ${step.sha1}, and what arrived ${found}: it changed meanwhile`;
      throw new StepFailure(`fetching ${step.path}`, 1, what);
    }
    onThisMachine(localPath, () => renameSync(temporary, localPath));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return { kind: 'done' };
}

/** Writes what comes as it comes, waiting for the disk: it may be slower than the network. Gives the SHA-1. */
async function receive(
  { path, localPath }: Extract<Step, { kind: 'fetch' }>,
  descriptor: number,
  connection: Connection,
  actor: Actor,
): Promise<string> {
  const digest = createHash('sha1');
  const full = new AbortController();
  const result = await connection.run(command(['cat', '--', path]), {
    become: actor.become,
    signal: full.signal,
    onStdout(chunk) {
      if (full.signal.aborted) return;
      try {
        onThisMachine(localPath, () => {
          for (let written = 0; written < chunk.length;) written += writeSync(descriptor, chunk, written);
        });
        digest.update(chunk);
      } catch (error) {
        full.abort(error);
      }
    },
  });
  if (result.status === 0) return digest.digest('hex');
  throw new StepFailure(`fetching ${path}`, result.status, result.stderr.toString().trim());
}

function onThisMachine<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UserError(`cannot write ${path} on this machine: ${message}`, { cause: error });
  }
}
