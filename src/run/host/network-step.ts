import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { unreachable } from '../../lib/errors.ts';
import type { Step, StepOutput } from '../../steps/step.ts';
import type { Connection, ScriptResult } from '../../transport/transport.ts';
import type { Actor } from './actor.ts';
import { fetchFile } from './fetch-step.ts';
import { httpRequest } from './http-request.ts';
import type { ScriptedStep } from './step-script.ts';

export type NetworkStep = Exclude<Step, ScriptedStep>;

/** What such a step needs of the session it is done in. */
export interface StepSession {
  readonly name: string;
  connection(actor: Actor): Promise<Connection>;
  script(actor: Actor, script: string): Promise<ScriptResult>;
  write(actor: Actor, step: Extract<Step, { kind: 'write' }>): Promise<void>;
  disconnect(): Promise<void>;
}

/** Does the steps that take more than a script on the target: they wait, ask over the network, or lose the connection. */
export async function networkStep(
  step: NetworkStep,
  session: StepSession,
  actor: Actor,
): Promise<StepOutput> {
  const startedAt = Date.now();
  const elapsed = (): number => Date.now() - startedAt;
  switch (step.kind) {
    case 'pause':
      await delay(step.ms);
      return { kind: 'done' };
    case 'http':
      return await request(step, session, actor);
    case 'wait-port': {
      const connection = await session.connection(actor);
      await delay(step.delayMs);
      do {
        if ((await isOpen(() => connection.forward(step.host, step.port))) === (step.until === 'open')) {
          return { kind: 'done' };
        }
        await delay(step.intervalMs);
      } while (elapsed() < step.timeoutMs);
      return {
        kind: 'no-answer',
        message: `port ${step.host}:${step.port} is not ${step.until}`,
        ms: elapsed(),
      };
    }
    case 'wait-script':
      return await waitForScript(step, session, actor);
    case 'fetch':
      return await fetchFile(step, await session.connection(actor), actor);
    case 'reconnect':
      return await reconnect(step, session, actor);
    default:
      return unreachable(step);
  }
}

async function request(
  step: Extract<Step, { kind: 'http' }>,
  session: StepSession,
  actor: Actor,
): Promise<StepOutput> {
  const connection = await session.connection(actor);
  const answer = await httpRequest(step, (host, port) => connection.forward(host, port));
  const { save } = step;
  if (!save || answer.kind !== 'http' || answer.status < 200 || answer.status > 299) return answer;
  const digest = (algorithm: string): string => createHash(algorithm).update(answer.body).digest('hex');
  if (save.checksum && digest(save.checksum.algorithm) !== save.checksum.digest.toLowerCase()) {
    const message = `${step.url}: expected ${save.checksum.algorithm} ${save.checksum.digest}, found ${digest(save.checksum.algorithm)}`;
    return { kind: 'no-answer', message, ms: answer.ms };
  }
  if (save.unlessSha1 === undefined || save.unlessSha1 !== digest('sha1')) {
    const { path, attributes, backup } = save;
    await session.write(actor, { kind: 'write', path, content: answer.body, attributes, backup });
  }
  return answer;
}

async function isOpen(open: () => Promise<{ destroy(): void }>): Promise<boolean> {
  try {
    (await open()).destroy();
    return true;
  } catch {
    return false;
  }
}

async function waitForScript(
  step: Extract<Step, { kind: 'wait-script' }>,
  session: StepSession,
  actor: Actor,
): Promise<StepOutput> {
  const startedAt = new Date();
  const elapsed = (): number => Date.now() - startedAt.getTime();
  await delay(step.delayMs);
  for (;;) {
    const result = await session.script(actor, step.script);
    if (result.status === 0) {
      return { ...result, kind: 'exit', startedAt, ms: elapsed() };
    }
    if (elapsed() >= step.timeoutMs) {
      return {
        kind: 'no-answer',
        message: `${step.description}: not within ${step.timeoutMs / 1000} s`,
        ms: elapsed(),
      };
    }
    await delay(step.intervalMs);
  }
}

const BOOT_ID = 'cat /proc/sys/kernel/random/boot_id; cut -d" " -f22 /proc/1/stat';

async function reconnect(
  step: Extract<Step, { kind: 'reconnect' }>,
  session: StepSession,
  actor: Actor,
): Promise<StepOutput> {
  const startedAt = Date.now();
  const elapsed = (): number => Date.now() - startedAt;
  await delay(step.delayMs);
  let last = 'no attempt was made';
  const oldBoot = step.newBoot ? await bootOf(session, actor).catch(() => undefined) : undefined;
  do {
    try {
      await session.disconnect();
      const boot = await bootOf(session, actor);
      if (!step.newBoot || boot !== oldBoot) return { kind: 'done' };
      last = 'it has not gone down yet';
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await delay(500);
  } while (elapsed() < step.timeoutMs);
  return { kind: 'no-answer', message: `${session.name} did not come back: ${last}`, ms: elapsed() };
}

/** In a container the kernel's boot id stays when the host boots again; the age of its first process does not. */
async function bootOf(session: StepSession, actor: Actor): Promise<string> {
  const result = await session.script(actor, BOOT_ID);
  if (result.status !== 0) throw new Error(result.stderr.toString());
  return result.stdout.toString();
}
