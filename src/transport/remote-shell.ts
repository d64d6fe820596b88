import { encodeScript, newNonce, scanMarkers } from './frames.ts';
import { prologue } from './launch.ts';
import type { Channel } from './channel.ts';
import type { RunOptions, ScriptResult } from './transport.ts';

/** After the local time limit; the host's own watchdog is for when nobody is left to enforce it. */
const WATCHDOG_DELAY_S = 10;
/** How long the host may take to end a script's processes before the shell is given up. */
const REAP_LIMIT_MS = 15_000;

/** One long-lived `sh`. Scripts are run one after the other. */
export interface RemoteShell {
  run(script: string, options?: RunOptions): Promise<ScriptResult>;
  /** Ends the shell after the script it runs. */
  close(): void;
  readonly closed: boolean;
}

export interface ShellDependencies {
  /** Ends the script that the shell with this process id runs, by way of another shell. */
  readonly reap: (pid: number) => Promise<void>;
  /** What to reject with when the channel has ended. `said` is what came instead of a shell, if none answered. */
  readonly ended: (during: string, said: string | undefined) => Error;
}

interface Execution {
  readonly onStdout: (chunk: Buffer) => void;
  readonly onStderr: (chunk: Buffer) => void;
  readonly fail: (error: unknown) => void;
}

/** Speaks the framed protocol over a channel on which `launchCommand` has been started. */
export function remoteShell(channel: Channel, dependencies: ShellDependencies): RemoteShell {
  let current: Execution | undefined;
  let closed = false;
  let tail: Promise<unknown> = Promise.resolve();
  let startedAt = 0;
  const pid = Promise.withResolvers<number>();
  pid.promise.catch(() => {});

  const nonce = newNonce();
  let greeted = false;
  let said = '';
  const listen = (text: Buffer) => {
    if (!greeted && said.length < 2000) said += text.toString('utf8');
  };
  const hello = scanMarkers(nonce, {
    onData: (data) => (greeted ? current?.onStdout(data) : listen(data)),
    onMarker: (_kind, value) => {
      greeted = true;
      pid.resolve(Number(value));
    },
  });

  channel.onStdout((chunk) => (greeted ? current?.onStdout(chunk) : hello(chunk)));
  channel.onStderr((chunk) => {
    listen(chunk);
    current?.onStderr(chunk);
  });
  channel.onClose(() => {
    closed = true;
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const error = dependencies.ended(
      `while a script was running (${seconds} s after it was sent)`,
      greeted ? undefined : said,
    );
    pid.reject(error);
    current?.fail(error);
  });
  channel.write(prologue(nonce));

  async function execute(script: string, options: RunOptions): Promise<ScriptResult> {
    options.signal?.throwIfAborted();
    if (closed) throw dependencies.ended('before the script was sent', greeted ? undefined : said);
    const stdout = collector(options.onStdout);
    const stderr = collector(options.onStderr);
    const finished = Promise.withResolvers<number>();
    const scriptNonce = newNonce();
    let status: number | undefined;
    let stderrEnded = false;
    const settle = () => {
      if (status !== undefined && stderrEnded) finished.resolve(status);
    };
    current = {
      onStdout: scanMarkers(scriptNonce, {
        // What a daemon left behind by the script still says after its end belongs to nobody.
        onData: (data) => status ?? stdout.add(data),
        onMarker: (_kind, value) => {
          status = Number(value);
          settle();
        },
      }),
      onStderr: scanMarkers(scriptNonce, {
        onData: (data) => stderrEnded || stderr.add(data),
        onMarker: () => {
          stderrEnded = true;
          settle();
        },
      }),
      fail: finished.reject,
    };
    startedAt = performance.now();
    const limit = limitTo(options, () => stop(finished.resolve));
    channel.write(
      encodeScript({
        nonce: scriptNonce,
        script,
        stdin: options.stdin,
        watchdog:
          options.timeoutMs === undefined
            ? undefined
            : `__watch ${Math.ceil(options.timeoutMs / 1000) + WATCHDOG_DELAY_S}`,
      }),
    );
    try {
      const finalStatus = await finished.promise;
      await limit.stopped();
      options.signal?.throwIfAborted();
      return {
        status: finalStatus,
        stdout: stdout.take(),
        stderr: stderr.take(),
        timedOut: limit.timedOut(),
      };
    } finally {
      limit.clear();
      current = undefined;
    }
  }

  /** Ends the script's processes; when even that fails, the shell. */
  async function stop(giveUp: (status: number) => void): Promise<void> {
    const patience = setTimeout(() => {
      giveUp(137);
      channel.destroy();
    }, REAP_LIMIT_MS);
    try {
      await dependencies.reap(await pid.promise);
    } catch {
      giveUp(137);
      channel.destroy();
    } finally {
      clearTimeout(patience);
    }
  }

  return {
    run(script, options = {}) {
      const result = tail.then(() => execute(script, options));
      tail = result.catch(() => {});
      return result;
    },
    close() {
      channel.end();
    },
    get closed() {
      return closed;
    },
  };
}

/** Watches the time limit and the abort signal of one run. */
function limitTo(options: RunOptions, stop: () => Promise<void>) {
  let stopping: Promise<void> | undefined;
  let timedOut = false;
  const onAbort = () => {
    stopping ??= stop();
  };
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          stopping ??= stop();
        }, options.timeoutMs);
  options.signal?.addEventListener('abort', onAbort);
  return {
    timedOut: () => timedOut,
    /** Nothing else may run in the shell before the last process of this script has been looked for. */
    stopped: async () => stopping,
    clear: () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    },
  };
}

/** Hands output on as it comes, or keeps it. */
function collector(onChunk: ((chunk: Buffer) => void) | undefined) {
  const chunks: Buffer[] = [];
  return {
    add: onChunk ?? ((chunk: Buffer) => void chunks.push(chunk)),
    take: () => (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)),
  };
}
