import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';

import { becomeKey } from './launch.ts';
import type { Connection, HostAddress, RunOptions, ScriptResult, Transport } from './transport.ts';

/** Something that a real transport would have done on a host. */
export type RecordedAction =
  | {
      readonly kind: 'run';
      readonly host: string;
      /** Empty for the login user. */
      readonly become: string;
      readonly script: string;
      readonly stdin: Buffer | undefined;
      readonly timeoutMs: number | undefined;
    }
  | {
      readonly kind: 'upload';
      readonly host: string;
      readonly become: string;
      readonly content: Buffer;
      readonly path: string;
    }
  | { readonly kind: 'download'; readonly host: string; readonly become: string; readonly path: string };

/** What a script is answered; what is left out is success and silence. */
export interface RecordedAnswer {
  readonly status?: number;
  readonly stdout?: string | Buffer;
  readonly stderr?: string | Buffer;
  readonly timedOut?: boolean;
}

export interface RecordingOptions {
  /** Answers a script. Without, everything succeeds and says nothing. May throw, as a lost host would. */
  readonly answer?: (
    action: Extract<RecordedAction, { kind: 'run' }>,
  ) => RecordedAnswer | Promise<RecordedAnswer>;
  /** What is in a file. Without, every file is empty. */
  readonly file?: (host: string, path: string) => Buffer | string;
  /** Opens connections from a host. Without, nothing answers. */
  readonly dial?: (host: string, address: string, port: number) => Promise<Duplex>;
  /** May throw, as a host that cannot be reached would. */
  readonly onConnect?: (host: HostAddress) => void | Promise<void>;
}

/** A transport that does nothing but remember: for dry runs and for tests. */
export interface RecordingTransport extends Transport {
  readonly actions: readonly RecordedAction[];
  /** The hosts connected to, in order. */
  readonly connected: readonly string[];
}

/** Makes a transport that records what it is asked and answers from functions. */
export function recordingTransport(options: RecordingOptions = {}): RecordingTransport {
  const actions: RecordedAction[] = [];
  const connected: string[] = [];
  const files = new Map<string, Buffer>();

  const connection = (host: string): Connection => {
    let closed = false;
    return {
      host,
      async run(script, runOptions = {}) {
        runOptions.signal?.throwIfAborted();
        const action = {
          kind: 'run',
          host,
          become: becomeKey(runOptions.become),
          script,
          stdin: runOptions.stdin,
          timeoutMs: runOptions.timeoutMs,
        } as const;
        actions.push(action);
        return deliver((await options.answer?.(action)) ?? {}, runOptions);
      },
      async upload(content, transfer = {}) {
        const bytes = Buffer.isBuffer(content) ? content : await readFile(content.localFile);
        const path = `/tmp/understudy.recorded${actions.length}`;
        actions.push({ kind: 'upload', host, become: becomeKey(transfer.become), content: bytes, path });
        files.set(`${host} ${path}`, bytes);
        return path;
      },
      // oxlint-disable-next-line require-await -- the interface is asynchronous
      async download(path, transfer = {}) {
        actions.push({ kind: 'download', host, become: becomeKey(transfer.become), path });
        return files.get(`${host} ${path}`) ?? Buffer.from(options.file?.(host, path) ?? '');
      },
      async forward(address, port) {
        if (!options.dial) throw new Error(`nothing answers at ${address}:${port}`);
        return await options.dial(host, address, port);
      },
      // oxlint-disable-next-line require-await -- the interface is asynchronous
      async close() {
        closed = true;
      },
      get closed() {
        return closed;
      },
    };
  };

  return {
    actions,
    connected,
    async connect(host, signal) {
      signal?.throwIfAborted();
      await options.onConnect?.(host);
      connected.push(host.name);
      return connection(host.name);
    },
    async close() {},
  };
}

/** Gives the output to the callbacks that a real run would, and only to them. */
function deliver(answer: RecordedAnswer, options: RunOptions): ScriptResult {
  const stdout = Buffer.from(answer.stdout ?? '');
  const stderr = Buffer.from(answer.stderr ?? '');
  if (stdout.length > 0) options.onStdout?.(stdout);
  if (stderr.length > 0) options.onStderr?.(stderr);
  return {
    status: answer.status ?? 0,
    stdout: options.onStdout ? Buffer.alloc(0) : stdout,
    stderr: options.onStderr ? Buffer.alloc(0) : stderr,
    timedOut: answer.timedOut ?? false,
  };
}
