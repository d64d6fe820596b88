import { output, type ProcessOptions, type ProcessResult, run } from '../lib/process.ts';
import { systemEnvironment } from '../lib/system-path.ts';

/** Runs a program of the system's; how it ended is the result. Its messages are those that we can read. */
export function system(argv: readonly string[], options: ProcessOptions = {}): Promise<ProcessResult> {
  return run(argv, inEnglish(options));
}

/** Runs a program of the system's that is expected to succeed, and returns its standard output. */
export function systemOutput(argv: readonly string[], options: ProcessOptions = {}): Promise<string> {
  return output(argv, inEnglish(options));
}

function inEnglish(options: ProcessOptions): ProcessOptions {
  return { ...options, env: { ...systemEnvironment(options.env), LC_ALL: 'C.UTF-8' } };
}
