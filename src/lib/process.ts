import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import { systemEnvironment } from './system-path.ts';

/** How a child process ended. A signal counts as 128 + its number, as in a shell; -1 means it could not be started. */
export interface ProcessResult {
  readonly status: number;
  /** Empty where it was handed on as it came. */
  readonly stdout: string;
  readonly stderr: string;
  /** It was killed because its time was over, or by the signal that was given. */
  readonly cut?: 'time' | 'signal';
  readonly killedBy?: NodeJS.Signals;
  /** Why it could not be started. */
  readonly error?: Error;
}

export interface ProcessOptions {
  /** For the child's standard input; without it the child reads from /dev/null. */
  readonly input?: string | Buffer;
  /** The environment, with the PATH by which the program is found; the system's programs by default. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
  /** The child is killed after this time, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** Kills the child. */
  readonly signal?: AbortSignal | undefined;
  /** What the child has started is killed with it. */
  readonly wholeGroup?: true | undefined;
  /** Hands output on as it comes, instead of keeping it. */
  readonly onStdout?: ((chunk: Buffer) => void) | undefined;
  readonly onStderr?: ((chunk: Buffer) => void) | undefined;
}

/** Runs a program to its end and returns what it said. A failing program is a result, not an exception. */
export function run(argv: readonly string[], options: ProcessOptions = {}): Promise<ProcessResult> {
  const [program, ...args] = argv;
  if (program === undefined) throw new RangeError('an empty command line');
  const { timeoutMs, signal, wholeGroup = false } = options;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: wholeGroup,
      env: options.env ?? systemEnvironment(),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let cut: ProcessResult['cut'];
    let exited: readonly [code: number | null, killedBy: NodeJS.Signals | null] | undefined;
    const kill = (why: ProcessResult['cut']): void => {
      if (wholeGroup) killGroup(child.pid);
      // It has ended by itself, and what it left behind keeps its output open: nobody waits for that.
      if (exited) ended(...exited);
      else {
        cut ??= why;
        child.kill('SIGKILL');
      }
    };
    const onAbort = (): void => kill('signal');
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => kill('time'), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    const end = (status: number, more: Omit<ProcessResult, 'status' | 'stdout' | 'stderr'>): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      resolve({
        status,
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: more.error?.message ?? Buffer.concat(stderr).toString('utf8'),
        ...more,
      });
    };
    const ended = (code: number | null, killedBy: NodeJS.Signals | null): void =>
      end(code ?? 128 + (killedBy === null ? 0 : constants.signals[killedBy]), {
        ...(cut === undefined ? {} : { cut }),
        ...(killedBy === null ? {} : { killedBy }),
      });
    child.stdout?.on('data', options.onStdout ?? ((chunk: Buffer) => stdout.push(chunk)));
    child.stderr?.on('data', options.onStderr ?? ((chunk: Buffer) => stderr.push(chunk)));
    // A child that ends without reading its input is no error of ours: its exit status tells.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input);
    child.on('error', (error) => {
      // It cannot be killed either: then how it ends is still to come.
      if (child.pid === undefined) end(-1, { error });
    });
    // What it has started may have its output open for longer than anybody wants to wait for a child that was killed.
    child.on('exit', (code, killedBy) => {
      exited = [code, killedBy];
      if (cut !== undefined) ended(code, killedBy);
    });
    child.on('close', ended);
  });
}

function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Runs a program that is expected to succeed and returns its standard output. */
export async function output(argv: readonly string[], options: ProcessOptions = {}): Promise<string> {
  const result = await run(argv, options);
  if (result.status !== 0) {
    const said = (result.stderr.trim() || result.stdout.trim()).slice(-2000);
    throw new Error(`${argv.join(' ')} ended with status ${result.status}: ${said}`);
  }
  return result.stdout;
}
