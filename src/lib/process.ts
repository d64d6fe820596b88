import { spawn } from 'node:child_process';

import { systemEnvironment } from './system-path.ts';

/** How a child process ended. A signal counts as 128 + its number, as in a shell; -1 means it could not be started. */
export interface ProcessResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  /** Text for the child's standard input; without it the child reads from /dev/null. */
  readonly input?: string;
  /** The environment, with the PATH by which the program is found; the system's programs by default. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The child is killed after this time, in milliseconds. */
  readonly timeoutMs?: number;
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Runs a program to its end and returns what it said. A failing program is a result, not an exception. */
export function run(argv: readonly string[], options: ProcessOptions = {}): Promise<ProcessResult> {
  const [program, ...args] = argv;
  if (program === undefined) throw new RangeError('an empty command line');
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      killSignal: 'SIGKILL',
      env: options.env ?? systemEnvironment(),
      ...(options.cwd && { cwd: options.cwd }),
      ...(options.timeoutMs && { timeout: options.timeoutMs }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A child that ends without reading its input is no error of ours: its exit status tells.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input);
    child.on('error', (error) => resolve({ status: -1, stdout: '', stderr: error.message }));
    child.on('close', (code, signal) => {
      resolve({
        status: code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0),
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
      });
    });
  });
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
