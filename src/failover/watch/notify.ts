import { existsSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

import { EXIT, UserError } from '../../lib/errors.ts';
import { run } from '../../lib/process.ts';
import { userEnvironment } from '../../lib/system-path.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';

/** A notification for people: JSON to a webhook and to a command, text by e-mail. */
export interface Notification {
  readonly cluster: string;
  readonly event:
    | 'detected'
    | 'recovered'
    | 'failed'
    | 'refused'
    | 'problem'
    | 'solved'
    | 'paused'
    | 'resumed';
  readonly level: 'info' | 'warning' | 'critical';
  readonly message: string;
  /** What the reader can do. */
  readonly remedy?: string | undefined;
  readonly instance?: string | undefined;
  readonly code?: string | undefined;
  /** The id of the journal's entry. */
  readonly id?: string | undefined;
  readonly details?: readonly string[] | undefined;
}

/** Sends a notification to every configured recipient. Never rejects: `onFailure` is called for each that failed. */
export type Notifier = (notification: Notification) => Promise<void>;

export interface NotifierOptions {
  readonly ways: FailoverSettings['notify'];
  /** Removes secrets from what is sent. */
  readonly redact: (text: string) => string;
  readonly onFailure: (message: string) => void;
  readonly timeoutMs?: number | undefined;
  /** Pauses between the attempts to reach a webhook. */
  readonly pausesMs?: readonly number[] | undefined;
  readonly sendmail?: string | undefined;
}

const TIMEOUT_MS = 10_000;
const PAUSES_MS = [1000, 5000, 15_000];
const SENDMAIL = ['/usr/sbin/sendmail', '/usr/lib/sendmail', '/usr/bin/sendmail'];

export function notifier(options: NotifierOptions): Notifier {
  const { ways, redact, onFailure, timeoutMs = TIMEOUT_MS, pausesMs = PAUSES_MS } = options;
  const attempt = async (way: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      onFailure(redact(`${way}: ${(error as Error).message}`));
    }
  };
  return async (notification) => {
    const body = redact(JSON.stringify({ at: new Date().toISOString(), from: hostname(), ...notification }));
    const { webhook, email, command } = ways;
    await Promise.all([
      webhook === undefined
        ? undefined
        : attempt(`webhook ${hostOf(webhook)}`, () => post(webhook, body, timeoutMs, pausesMs)),
      email === undefined
        ? undefined
        : attempt(`e-mail to ${email}`, () =>
            execute(
              options.sendmail ?? SENDMAIL.find((path) => existsSync(path)) ?? SENDMAIL[0] ?? '',
              ['-i', '--', email],
              redact(mailOf(email, notification)),
              timeoutMs,
            ),
          ),
      command === undefined
        ? undefined
        : attempt(command, () => execute(command, [notification.event], `${body}\n`, timeoutMs)),
    ]);
  };
}

/** Retries, except when the server rejects the request itself. */
async function post(
  url: string,
  body: string,
  timeoutMs: number,
  pausesMs: readonly number[],
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const status = await postOnce(url, body, timeoutMs);
      if (status < 300) return;
      const failure = new UserError(`it answered with status ${status}`, { exitCode: EXIT.failed });
      if (status < 500 && status !== 429 && status !== 408) throw Object.assign(failure, { isFinal: true });
      throw failure;
    } catch (error) {
      const pause = pausesMs[attempt];
      if (pause === undefined || (error as { isFinal?: boolean }).isFinal) throw error;
      await wait(pause, undefined, { ref: false });
    }
  }
}

function postOnce(url: string, body: string, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const signal = AbortSignal.timeout(timeoutMs);
    const request = send(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'understudy',
      },
      signal,
    });
    request.on('error', (error) =>
      reject(signal.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error),
    );
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.end(body);
  });
}

async function execute(
  path: string,
  args: readonly string[],
  input: string,
  timeoutMs: number,
): Promise<void> {
  let said = '';
  const { status, cut, killedBy, error } = await run([path, ...args], {
    input,
    timeoutMs,
    env: userEnvironment(),
    onStdout: () => {},
    onStderr: (chunk) => (said = (said + chunk.toString('utf8')).slice(-2000)),
  });
  if (error) throw error;
  if (cut) throw new Error(`it did not end within ${timeoutMs} ms`);
  if (status !== 0)
    throw new Error(`it ended with ${killedBy ?? `status ${status}`}: ${said.trim() || 'it said nothing'}`);
}

function mailOf(address: string, notification: Notification): string {
  const { cluster, event, message, remedy, details = [], id, instance, code } = notification;
  // A line break would start another header.
  const subject = `[${cluster}] ${event}: ${message}`.replaceAll(/\s+/g, ' ').slice(0, 200);
  return [
    `To: ${address}`,
    `Subject: =?utf-8?B?${Buffer.from(subject).toString('base64')}?=`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    'Auto-Submitted: auto-generated',
    '',
    message,
    ...(remedy === undefined ? [] : [`→ ${remedy}`]),
    ...details.map((detail) => `  ${detail}`),
    '',
    ...[`cluster ${cluster}`, instance && `instance ${instance}`, code, id && `journal ${id}`].filter(
      Boolean,
    ),
    `seen from ${hostname()} at ${new Date().toISOString()}`,
    '',
  ].join('\n');
}

/** The host only: the path of a webhook often contains its secret. */
function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return '(not a URL)';
  }
}
