import { createHash, randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { Step, StepOutput } from '../../steps/step.ts';
import type { Connection } from '../../transport/transport.ts';
import type { Actor } from './actor.ts';
import { StepFailure } from './step-failure.ts';

/** Brings a file of the target here; it takes its place whole or not at all. */
export async function fetchFile(
  step: Extract<Step, { kind: 'fetch' }>,
  connection: Connection,
  actor: Actor,
): Promise<StepOutput> {
  const bytes = await connection.download(step.path, actor.become ? { become: actor.become } : {});
  const found = createHash('sha1').update(bytes).digest('hex');
  if (step.sha1 !== undefined && step.sha1 !== found) {
    const what = `the file has the SHA-1 ${step.sha1}, and what arrived ${found}: it changed meanwhile`;
    throw new StepFailure(`fetching ${step.path}`, 1, what);
  }
  const temporary = `${step.localPath}.${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(dirname(step.localPath), { recursive: true });
    await writeFile(temporary, bytes, { flag: 'wx' });
    await rename(temporary, step.localPath);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new StepFailure(
      `writing ${step.localPath} on this machine`,
      1,
      error instanceof Error ? error.message : String(error),
    );
  }
  return { kind: 'done' };
}
