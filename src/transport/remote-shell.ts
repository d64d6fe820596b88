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
  return new FramedShell(channel, dependencies);
}

class FramedShell implements RemoteShell {
  readonly #channel: Channel;
  readonly #dependencies: ShellDependencies;
  readonly #pid = Promise.withResolvers<number>();
  #current: Execution | undefined;
  #closed = false;
  #tail: Promise<unknown> = Promise.resolve();
  #startedAt = 0;
  #greeted = false;
  /** What came before its greeting. */
  #said = '';

  constructor(channel: Channel, dependencies: ShellDependencies) {
    this.#channel = channel;
    this.#dependencies = dependencies;
    this.#pid.promise.catch(() => {});
    const nonce = newNonce();
    const hello = scanMarkers(nonce, {
      onData: (data) => (this.#greeted ? this.#current?.onStdout(data) : this.#listen(data)),
      onMarker: (_kind, value) => {
        this.#greeted = true;
        this.#pid.resolve(Number(value));
      },
    });
    channel.onStdout((chunk) => (this.#greeted ? this.#current?.onStdout(chunk) : hello(chunk)));
    channel.onStderr((chunk) => {
      this.#listen(chunk);
      this.#current?.onStderr(chunk);
    });
    channel.onClose(() => this.#end());
    channel.write(prologue(nonce));
  }

  get closed(): boolean {
    return this.#closed;
  }

  run(script: string, options: RunOptions = {}): Promise<ScriptResult> {
    const result = this.#tail.then(() => this.#execute(script, options));
    this.#tail = result.catch(() => {});
    return result;
  }

  close(): void {
    this.#channel.end();
  }

  #listen(text: Buffer): void {
    if (!this.#greeted && this.#said.length < 2000) this.#said += text.toString('utf8');
  }

  #end(): void {
    this.#closed = true;
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    const error = this.#ended(`while a script was running (${seconds} s after it was sent)`);
    this.#pid.reject(error);
    this.#current?.fail(error);
  }

  #ended(during: string): Error {
    return this.#dependencies.ended(during, this.#greeted ? undefined : this.#said);
  }

  async #execute(script: string, options: RunOptions): Promise<ScriptResult> {
    options.signal?.throwIfAborted();
    if (this.#closed) throw this.#ended('before the script was sent');
    const { timeoutMs, stdin } = options;
    const stdout = collector(options.onStdout);
    const stderr = collector(options.onStderr);
    const finished = Promise.withResolvers<number>();
    const nonce = newNonce();
    this.#current = execution(nonce, { stdout, stderr, finished });
    this.#startedAt = performance.now();
    const limit = limitTo(options, () => this.#stop(finished.resolve));
    const watchdog =
      timeoutMs === undefined ? undefined : `__watch ${Math.ceil(timeoutMs / 1000) + WATCHDOG_DELAY_S}`;
    this.#channel.write(encodeScript({ nonce, script, stdin, watchdog }));
    try {
      const status = await finished.promise;
      await limit.stopped();
      options.signal?.throwIfAborted();
      return { status, stdout: stdout.take(), stderr: stderr.take(), timedOut: limit.timedOut() };
    } finally {
      limit.clear();
      this.#current = undefined;
    }
  }

  /** Ends the script's processes; when even that fails, the shell. */
  async #stop(giveUp: (status: number) => void): Promise<void> {
    const destroy = (): void => {
      giveUp(137);
      this.#channel.destroy();
    };
    const patience = setTimeout(destroy, REAP_LIMIT_MS);
    try {
      await this.#dependencies.reap(await this.#pid.promise);
    } catch {
      destroy();
    } finally {
      clearTimeout(patience);
    }
  }
}

interface Sinks {
  readonly stdout: ReturnType<typeof collector>;
  readonly stderr: ReturnType<typeof collector>;
  readonly finished: PromiseWithResolvers<number>;
}

/** Takes a script's output up to the marker at the end of each stream; then its status is known. */
function execution(nonce: string, { stdout, stderr, finished }: Sinks): Execution {
  let status: number | undefined;
  let stderrEnded = false;
  const settle = (): void => {
    if (status !== undefined && stderrEnded) finished.resolve(status);
  };
  return {
    onStdout: scanMarkers(nonce, {
      // What a daemon left behind by the script still says after its end belongs to nobody.
      onData: (data) => status ?? stdout.add(data),
      onMarker: (_kind, value) => {
        status = Number(value);
        settle();
      },
    }),
    onStderr: scanMarkers(nonce, {
      onData: (data) => stderrEnded || stderr.add(data),
      onMarker: () => {
        stderrEnded = true;
        settle();
      },
    }),
    fail: finished.reject,
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
