import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../src/bin/provision.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface RunningProgram {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What stdout holds so far. */
  stdout(): string;
}

/** Starts `provision` as a user would, in the project's directory. */
export function startProvision(args: readonly string[]): RunningProgram {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({
        status: code ?? -1,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
        ms: performance.now() - startedAt,
      }),
    );
  });
  return { pid: child.pid ?? 0, ended, stdout: () => Buffer.concat(stdout).toString() };
}

export async function provision(...args: readonly string[]): Promise<Ended> {
  return await startProvision(args).ended;
}

/** One event of `--json`. */
export interface JsonLine {
  readonly type: string;
  readonly host?: string;
  readonly task?: string;
  readonly status?: string;
  readonly message?: string;
  readonly diff?: readonly { readonly subject: string; readonly before: string; readonly after: string }[];
  readonly hosts?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The lines of `--json` output. */
export function jsonLines(text: string): readonly JsonLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonLine);
}

/** Adds a count up over all hosts of the recap. */
export function total(lines: readonly JsonLine[], count: string): number {
  const hosts = lines.at(-1)?.hosts ?? {};
  return Object.values(hosts).reduce((sum, host) => sum + (host[count] ?? 0), 0);
}

/** Waits until `condition` gives a value; a generous limit, since the machine may be busy. */
export async function waitFor<T>(
  what: string,
  condition: () => Promise<T | undefined | false>,
  limitMs = 60_000,
): Promise<T> {
  const until = Date.now() + limitMs;
  let last: unknown;
  do {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  } while (Date.now() < until);
  throw new Error(`not within ${limitMs / 1000} s: ${what}`, { cause: last });
}
