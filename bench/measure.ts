import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { userEnvironment } from '../src/lib/system-path.ts';

/** One whole process, from its start to its end. */
export interface Measured {
  readonly ms: number;
  readonly status: number;
  /** The most memory that the process itself held at once. */
  readonly peakKiB: number;
  readonly output: string;
}

/** Runs a command and measures it. Its memory is sampled from the kernel's own high-water mark. */
export async function measure(
  argv: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<Measured> {
  const [program = '', ...args] = argv;
  const startedAt = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env ?? userEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  let peakKiB = 0;
  const sampler = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peakKiB = Math.max(peakKiB, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    } catch {
      // It has just ended.
    }
  }, 10);
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? -1));
  });
  clearInterval(sampler);
  return { ms: performance.now() - startedAt, status, peakKiB, output: Buffer.concat(chunks).toString() };
}

/** Measures a command several times; every run must succeed. */
export async function repeat(
  times: number,
  argv: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<readonly Measured[]> {
  const runs: Measured[] = [];
  for (let run = 0; run < times; run++) {
    const measured = await measure(argv, options);
    if (measured.status !== 0)
      throw new Error(`${argv.join(' ')} ended with ${measured.status}\n${measured.output.slice(-4000)}`);
    runs.push(measured);
  }
  return runs;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** `1.23 s (1.20–1.31)`. */
export function describe(runs: readonly Measured[]): string {
  const times = runs.map((run) => run.ms / 1000);
  return `${median(times).toFixed(2)} s (${Math.min(...times).toFixed(2)}–${Math.max(...times).toFixed(2)}, ${runs.length} runs)`;
}
