import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How a run of `failover` ended. */
export interface ToolResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/** Is given each line of the output when it comes, and may send the program a signal then or later. */
export type LineWatcher = (line: string, send: (signal: ToolSignal) => void) => void;
export type ToolSignal = 'SIGKILL' | 'SIGINT' | 'SIGSTOP' | 'SIGCONT';

/** The program `failover` on one inventory, run as a user runs it: a process of its own. */
export interface Tool {
  (...args: readonly string[]): Promise<ToolResult>;
  watched(onLine: LineWatcher, ...args: readonly string[]): Promise<ToolResult>;
  /** Kills it (SIGKILL) as soon as it prints a line of which `when` is true. */
  killedWhen(when: (line: string) => boolean, ...args: readonly string[]): Promise<ToolResult>;
}

/** `command` is the program with all that comes before the verb, `options` what comes after: `-i …`. */
export function makeTool(command: readonly string[], options: readonly string[], cwd: string): Tool {
  const run = (args: readonly string[], onLine?: LineWatcher): Promise<ToolResult> => {
    const [program = '', ...before] = command;
    const startedAt = performance.now();
    const child = spawn(program, [...before, ...args, ...options], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      onLine?.(line, (signal) => child.kill(signal));
    });
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status, signal) =>
        resolve({
          status: status ?? (signal === 'SIGKILL' ? 137 : -1),
          stdout: lines.join('\n'),
          stderr,
          ms: performance.now() - startedAt,
        }),
      );
    });
  };
  return Object.assign((...args: readonly string[]) => run(args), {
    watched: (onLine: LineWatcher, ...args: readonly string[]) => run(args, onLine),
    killedWhen: (when: (line: string) => boolean, ...args: readonly string[]) =>
      run(args, (line, send) => {
        if (when(line)) send('SIGKILL');
      }),
  });
}
