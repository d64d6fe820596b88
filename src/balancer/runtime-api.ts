import type { Duplex } from 'node:stream';
import { EXIT, UserError } from '../lib/errors.ts';

export interface RuntimeApiOptions {
  /** The balancer, for messages. */
  readonly name: string;
  /** Opens a connection to the runtime API. */
  readonly open: () => Promise<Duplex>;
  /** How long one request may take, connecting included. */
  readonly timeoutMs: number;
}

/** Commands for one HAProxy. */
export interface RuntimeApi {
  /**
   * Sends the commands in one request; the answers come in their order, without the empty line that ends each. They
   * may be sent twice, so each must mean the same when it is repeated. Rejects when an answer is not as expected.
   */
  ask(
    commands: readonly string[],
    isExpected: (index: number, answer: string) => boolean,
  ): Promise<readonly string[]>;
  close(): void;
}

/** An answer of a few servers is a few kilobytes. */
const LONGEST_ANSWER = 1_000_000;

/**
 * HAProxy's runtime API answers one request a connection, so the connection for the next one is opened ahead: a
 * request then costs one round trip. Such a connection may lead to a process that a reload has replaced since; when
 * anything is wrong with its answer, the request is sent again on a new one.
 */
export function runtimeApi({ name, open, timeoutMs }: RuntimeApiOptions): RuntimeApi {
  let spare: Promise<Duplex> | undefined;
  let closed = false;

  const openSpare = (): void => {
    const opening = open();
    spare = opening;
    const forget = (): void => {
      if (spare === opening) spare = undefined;
    };
    opening.then(
      (stream) => {
        stream.on('error', forget);
        stream.on('close', forget);
        // HAProxy ends what is idle for a minute; nothing is read from it yet, so ask for what comes.
        stream.once('end', forget);
        stream.resume();
        if (closed) stream.destroy();
      },
      () => forget(),
    );
  };

  return {
    async ask(commands, isExpected) {
      if (closed) throw new Error('the connection to the balancer is closed');
      const deadline = performance.now() + timeoutMs;
      const text = commands.join('; ');
      const failed = (reason: string, cause?: unknown): UserError =>
        new UserError(
          { message: `${name}: HAProxy's runtime API ${reason}`, hint: `the request was: ${text}` },
          { exitCode: EXIT.unreachable, ...(cause === undefined ? {} : { cause }) },
        );
      const attempt = async (stream: Promise<Duplex>): Promise<readonly string[]> => {
        const limitMs = Math.max(0, deadline - performance.now());
        const answers = split(
          await exchange(stream, `${text}\n`, limitMs, timeoutMs, failed),
          commands,
          name,
        );
        const wrong = answers.findIndex((answer, index) => !isExpected(index, answer));
        if (wrong >= 0) throw unexpected(name, commands[wrong] ?? text, answers[wrong] ?? '');
        return answers;
      };
      const ahead = spare;
      spare = undefined;
      const answers = await (ahead === undefined
        ? attempt(open())
        : attempt(ahead).catch(async (error: unknown) => {
            if (performance.now() >= deadline) throw error;
            return await attempt(open());
          }));
      if (!closed) openSpare();
      return answers;
    },
    close() {
      closed = true;
      spare?.then(
        (stream) => stream.destroy(),
        () => {},
      );
      spare = undefined;
    },
  };
}

/** Sends one request and reads until HAProxy closes the connection. */
function exchange(
  opening: Promise<Duplex>,
  request: string,
  limitMs: number,
  timeoutMs: number,
  failed: (reason: string, cause?: unknown) => UserError,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let stream: Duplex | undefined;
    let over = false;
    const end = (settle: () => void): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      stream?.destroy();
      settle();
    };
    const timer = setTimeout(
      () => end(() => reject(failed(`did not answer within ${timeoutMs} ms`))),
      limitMs,
    );
    const chunks: Buffer[] = [];
    let length = 0;
    opening.then(
      (opened) => {
        stream = opened;
        opened.on('error', (error: Error) => end(() => reject(failed(`broke off: ${error.message}`, error))));
        if (over) {
          opened.destroy();
          return;
        }
        opened.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          length += chunk.length;
          if (length > LONGEST_ANSWER) end(() => reject(failed('answers without an end')));
        });
        const finish = (): void => end(() => resolve(Buffer.concat(chunks).toString('utf8')));
        opened.on('end', finish);
        opened.on('close', finish);
        // Whoever stands between us and HAProxy learns that nothing more will come.
        opened.end(request);
      },
      (error: unknown) => end(() => reject(failed(`cannot be reached: ${(error as Error).message}`, error))),
    );
  });
}

/** Each answer ends with an empty line; one that says nothing is only that line. */
function split(received: string, commands: readonly string[], name: string): readonly string[] {
  const lines = received.split('\n');
  const answers: string[] = [];
  let current: string[] = [];
  // What follows the last line feed is no line.
  for (const line of lines.slice(0, -1)) {
    if (line === '') {
      answers.push(current.join('\n'));
      current = [];
    } else current.push(line);
  }
  if (answers.length === commands.length && current.length === 0 && lines.at(-1) === '') return answers;
  throw unexpected(
    name,
    commands[answers.length] ?? commands.join('; '),
    [...current, lines.at(-1)].join('\n').trim(),
  );
}

/** HAProxy says its errors as text. */
function unexpected(name: string, command: string, answer: string): UserError {
  return new UserError(
    `${name}: HAProxy answered '${command}' with ${answer === '' ? 'nothing' : `'${shorten(answer)}'`}`,
    { exitCode: EXIT.failed },
  );
}

function shorten(text: string): string {
  const [first = ''] = text.split('\n');
  return first.length > 200 ? `${first.slice(0, 200)}…` : first;
}
