import { setTimeout as delay } from 'node:timers/promises';

import { poll, within } from '../../lib/async.ts';
import { unreachable, UserError } from '../../lib/errors.ts';
import { contentSize, type Step, type StepOutput } from '../../steps/step.ts';
import { ForwardError } from '../../transport/forward.ts';
import { type Connection, type ScriptResult, TransportError } from '../../transport/transport.ts';
import type { Actor } from './actor.ts';
import { fetchFile } from './fetch-step.ts';
import { authorities } from './authorities.ts';
import { type HttpAnswer, httpRequest } from './http-request.ts';
import type { SiteActions } from './site-actions.ts';
import type { ScriptedStep } from './step-script.ts';

export type NetworkStep = Exclude<Step, ScriptedStep>;

/** What such a step needs of the session it is done in. */
export interface StepSession {
  readonly name: string;
  connection(actor: Actor): Promise<Connection>;
  script(actor: Actor, script: string): Promise<ScriptResult>;
  write(actor: Actor, step: Extract<Step, { kind: 'write' }>): Promise<void>;
  disconnect(): Promise<void>;
  readonly site: SiteActions | undefined;
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
        if ((await isOpen(step, connection)) === (step.until === 'open')) return { kind: 'done' };
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
    case 'site':
      if (session.site === undefined) throw new UserError('this run knows no site to take hosts out of');
      return { kind: 'site', ...(await session.site(step.ask, step.timeoutMs)) };
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
  const startedAt = Date.now();
  const elapsed = (): number => Date.now() - startedAt;
  const connection = await session.connection(actor);
  let answer: HttpAnswer;
  try {
    answer = await httpRequest(step, {
      dial: (host, port) => connection.forward(host, port),
      environment: actor.environment,
      authorities: () => authorities(step.caPath, session, actor),
    });
  } catch (error) {
    if (error instanceof TransportError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'no-answer', message: `${step.url}: ${message}`, ms: elapsed() };
  }
  try {
    const { status, reason, headers, url, content, digests } = answer;
    const { save } = step;
    const sha1 = digests['sha1'] ?? '';
    const body = Buffer.isBuffer(content) ? content : Buffer.alloc(0);
    const output = (): StepOutput => ({
      kind: 'http',
      status,
      reason,
      headers,
      url,
      body,
      size: contentSize(content),
      sha1,
      ms: elapsed(),
    });
    if (!save || status < 200 || status > 299) return output();
    const { path, attributes, backup, unsafe, checksum, unlessSha1 } = save;
    const found = checksum && digests[checksum.algorithm];
    if (checksum && found !== checksum.digest.toLowerCase()) {
      const message = `${step.url}: expected ${checksum.algorithm} ${checksum.digest}, found ${found ?? ''}`;
      return { kind: 'no-answer', message, ms: elapsed() };
    }
    if (unlessSha1 === undefined || unlessSha1 !== sha1)
      await session.write(actor, { kind: 'write', path, content, attributes, backup, unsafe });
    return output();
  } finally {
    answer.discard();
  }
}

/**
 * Whether the port accepts a connection in time. A check that could not be made says nothing about the port, and is
 * thrown.
 */
async function isOpen(step: Extract<Step, { kind: 'wait-port' }>, connection: Connection): Promise<boolean> {
  const opening = connection.forward(step.host, step.port);
  const silent = new AbortController();
  try {
    const stream = await Promise.race([
      opening,
      delay(step.connectTimeoutMs, undefined, { signal: silent.signal }),
    ]);
    // One that comes too late is not left open.
    if (!stream) opening.then((late) => late.destroy()).catch(() => {});
    stream?.destroy();
    return stream !== undefined;
  } catch (error) {
    if (error instanceof ForwardError && error.kind === 'closed') return false;
    if (!(error instanceof ForwardError)) throw error;
    throw new UserError(`whether ${step.host}:${step.port} is open cannot be found out: ${error.message}`, {
      cause: error,
    });
  } finally {
    silent.abort();
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
  const found = await poll(
    async () => {
      const result = await session.script(actor, step.script);
      return result.status === 0 ? result : undefined;
    },
    { everyMs: step.intervalMs, withinMs: step.timeoutMs - elapsed() },
  );
  if (found) return { ...found, kind: 'exit', startedAt, ms: elapsed() };
  const message = `${step.description}: not within ${step.timeoutMs / 1000} s`;
  return { kind: 'no-answer', message, ms: elapsed() };
}

const FIRST_ATTEMPT_MS = 4000;
const LAST_ATTEMPT_MS = 30_000;
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
  // A host that goes down in the middle of an attempt says nothing, and neither does what it was reached through: each
  // attempt ends by itself, the later ones later, for a host that is slow while it boots.
  let patienceMs = FIRST_ATTEMPT_MS;
  const inTime = async <T>(work: Promise<T>): Promise<T> => {
    const ms = patienceMs;
    return await within(work, { ms, expired: () => new Error(`no answer within ${ms / 1000} s`) });
  };
  // Without it, a host that has not gone down yet would pass for one that is back: it may take its time.
  const oldBoot = step.newBoot
    ? await within(bootOf(session, actor), {
        ms: LAST_ATTEMPT_MS,
        expired: () => new Error('no answer'),
      }).catch(() => undefined)
    : undefined;
  const isBack = async (): Promise<true | undefined> => {
    try {
      await inTime(session.disconnect()).catch(() => {});
      const boot = await inTime(bootOf(session, actor));
      if (!step.newBoot || boot !== oldBoot) return true;
      last = 'it has not gone down yet';
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
      patienceMs = Math.min(2 * patienceMs, LAST_ATTEMPT_MS);
    }
    return undefined;
  };
  if (await poll(isBack, { everyMs: 500, withinMs: step.timeoutMs - elapsed() })) return { kind: 'done' };
  return { kind: 'no-answer', message: `${session.name} did not come back: ${last}`, ms: elapsed() };
}

/** In a container the kernel's boot id stays when the host boots again; the age of its first process does not. */
async function bootOf(session: StepSession, actor: Actor): Promise<string> {
  const result = await session.script(actor, BOOT_ID);
  if (result.status !== 0) throw new Error(result.stderr.toString());
  return result.stdout.toString();
}
