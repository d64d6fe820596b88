import { delimiter } from 'node:path';
import { output, type ProcessOptions, type ProcessResult, run } from '../lib/process.ts';

const SYSTEM = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * The search path for the system's programs. What npm puts on the path comes last: packages bring programs with the
 * names of the system's (`nft` is one), and a user's path may lack sbin.
 */
export function systemPath(): string {
  return [...SYSTEM, ...(process.env['PATH'] ?? '').split(delimiter)].join(delimiter);
}

/** Runs a program of the system's; how it ended is the result. */
export function system(argv: readonly string[], options: ProcessOptions = {}): Promise<ProcessResult> {
  return run(argv, withSystemPath(options));
}

/** Runs a program of the system's that is expected to succeed, and returns its standard output. */
export function systemOutput(argv: readonly string[], options: ProcessOptions = {}): Promise<string> {
  return output(argv, withSystemPath(options));
}

function withSystemPath(options: ProcessOptions): ProcessOptions {
  return { ...options, env: { ...(options.env ?? process.env), LC_ALL: 'C.UTF-8', PATH: systemPath() } };
}
